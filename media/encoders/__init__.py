"""Recording rooms have encoders, not browsers: their streams are pulled by RTSP or pushed by RTMP, and published as any other.

An encoder's stream is read in a process of its own (`child`), because a demuxer may hang or fall over what it is fed. The
child passes pictures on as they are, turns sound into Opus, and publishes to the relay over the loopback as a plain WebRTC
peer. `encoder` starts it, carries its offer to the relay, and starts it anew as long as the encoder is wanted. `rtmp` is the
door for those that push; `addresses` says which may be pulled from. Nothing here knows schools or lessons.
"""
