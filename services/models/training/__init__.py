"""How the shipped models were made: data, protocol, export, card. Imported by no serving process."""
