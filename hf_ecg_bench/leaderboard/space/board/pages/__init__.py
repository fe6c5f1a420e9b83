"""The pages: each a pure function of the board and the address."""
