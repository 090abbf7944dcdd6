"""Recording a class without decoding it: packets → pictures and sounds → one timeline → fragmented MP4 or WebM → HLS."""
