"""How much hidden selection would undo a finding, and checks meant to refute it."""
