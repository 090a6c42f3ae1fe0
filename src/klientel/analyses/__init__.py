"""One file is one analysis; ANALYSES lists them in menu order."""
