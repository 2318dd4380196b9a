"""`python -m rpa_bridge` is `rpa-bridge`."""

from rpa_bridge.cli.main import main

if __name__ == "__main__":
    main()
