"""The files of the Space. They run there without this package: nothing here may import anything of it."""
