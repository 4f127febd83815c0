"""How upload records are written: few transactions, nothing that was acknowledged is lost."""
