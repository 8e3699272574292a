"""What is released: its version, its wheel and sdist, and the lowest and newest versions that it runs on."""
