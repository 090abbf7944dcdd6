"""The door for encoders that push: as much of an RTMP server as it takes to accept a stream, and not more.

`amf` and `chunks` read and write the protocol and do no I/O; `talk` answers what an encoder says until it may publish; `door`
listens. The libraries that were found read without bounds or deadlines, which a door to the outside must have.
"""
