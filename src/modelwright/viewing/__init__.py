"""What a notebook shows of a package: a page for people, made from data, without a script."""
