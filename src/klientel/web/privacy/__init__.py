"""Privacy: what is known of one person, erasure in every store, retention rules, consent history."""
