"""The asker's side: a server's models as if they were here, its rollouts, and which servers this machine runs.

What is asked and how answers are understood are plans (:mod:`.asking`), which do no input or output; the two clients
(:mod:`.client`, :mod:`.async_client`) carry them out. :mod:`.admin` asks the admin API, :mod:`.servers` finds servers.
"""
