"""The commands of ``loraproofs``, one module each with ``add_parser`` and ``run``."""
