"""Where the bytes of files are: a folder or an object store, addressed by digest."""
