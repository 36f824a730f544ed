"""What a run of the gate costs on models of any size, computed; and how full it keeps a server's queue, measured."""
