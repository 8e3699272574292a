"""``python -m ngffseg`` is the command ``ngffseg``."""

from ngffseg.cli.main import main

if __name__ == "__main__":
    main()
