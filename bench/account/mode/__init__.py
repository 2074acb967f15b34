"""The account mode of the embedded AWS, put into its process when it starts.

Each module replaces functions of the emulator at run time, never a file of it, and says with which parameters it knows
them: an upgrade that changes one stops the start (``EmulatorChanged``).
"""
