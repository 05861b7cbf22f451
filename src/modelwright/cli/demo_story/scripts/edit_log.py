"""Edit the log as somebody would who has the database in their hands. Its triggers refuse, so they go first."""

import sqlite3

database = sqlite3.connect("registry/.registry/state.sqlite")
for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
    database.execute(f"drop trigger {trigger}")
database.execute("update entries set reason = 'all was well' where action = 'rollback'")
database.commit()
