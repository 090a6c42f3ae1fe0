"""Records: what people keep about customers, with the history of every change."""
