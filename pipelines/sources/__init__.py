"""What each publisher says: one file per publisher, payload in, records out; nothing here writes."""
