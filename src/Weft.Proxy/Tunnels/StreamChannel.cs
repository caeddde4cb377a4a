// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Tunnels;

/// <summary>
/// An opaque connection inside an HTTP/2 connection: the stream of a CONNECT request as a channel (RFC 9113 §8.5). Its bytes obey the
/// windows both ways, so a slow reader slows its writer down and nobody else.
/// </summary>
internal sealed class StreamChannel(StreamCarrier carrier) : ByteChannel, IFlushable
{
    private Http2Stream? _stream;
    private NativeBuffer _kept;
    private NativeBuffer _held;
    private bool _isAccepted;
    private bool _isPaused = true;
    private bool _isQueued;
    private bool _isClosing;
    private bool _endWanted;
    private bool _endSent;
    private bool _inputEnded;
    private bool _endTold;

    internal override int Unsent => _kept.Length;

    internal override bool IsOpen => _stream is not null && !_isClosing;

    internal override IpEndpoint LocalAddress => carrier.LocalAddress;

    internal override PeerIdentity? Peer => carrier.Peer;

    internal Http2Stream? Stream => _stream;

    /// <summary>Bytes that came and wait for the reader; at most the stream's window.</summary>
    internal int Held => _held.Length;

    internal void Attach(Http2Stream stream)
    {
        _stream = stream;
        stream.Owner = this;
    }

    /// <summary>The request is granted: what was written meanwhile leaves.</summary>
    internal void Accept()
    {
        _isAccepted = true;
        OnWritable();
    }

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
    {
        if (_endWanted || _isClosing)
        {
            return;
        }

        var taken = _isAccepted && _kept.IsEmpty && _stream is { } stream ? carrier.Codec.SendData(stream, bytes, endStream: false) : 0;
        if (taken < bytes.Length)
        {
            _kept.Append(bytes[taken..]);
        }

        carrier.FlushLater();
    }

    internal override void PauseReading() => _isPaused = true;

    internal override void ResumeReading()
    {
        _isPaused = false;
        if (!_isQueued && (!_held.IsEmpty || (_inputEnded && !_endTold)))
        {
            // Not at once: the owner may be in the middle of a callback.
            _isQueued = true;
            carrier.Loop.Events.FlushLater(this);
        }
    }

    internal override void ShutdownWrite()
    {
        _endWanted = true;
        SendEndIfDone();
        carrier.FlushLater();
    }

    internal override void Close()
    {
        if (_isClosing)
        {
            return;
        }

        Handler = null;
        ShutdownWrite();
        _isClosing = true;
        Drop(ref _held);
        EndIfClosing();
    }

    internal override void Abort()
    {
        Handler = null;
        _isClosing = true;
        if (_stream is { } stream)
        {
            carrier.Codec.Reset(stream, Http2ErrorCode.ConnectError);
            carrier.FlushLater();
        }
        else
        {
            carrier.GiveUp(this);
        }

        Free();
    }

    /// <summary>Bytes of the peer.</summary>
    internal void OnData(ReadOnlySpan<byte> data, bool endStream)
    {
        _inputEnded |= endStream;
        if (_isClosing)
        {
            Consume(data.Length);
        }
        else if (_isPaused || !_held.IsEmpty)
        {
            // Charged to the peer's window until it is read.
            _held.Append(data);
        }
        else
        {
            // The memory is the outer connection's input, which nobody needs after this call.
            Handler?.OnData(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(data), data.Length));
            Consume(data.Length);
        }

        TellEnd();
    }

    internal void OnWritable()
    {
        if (_stream is not { } stream || !_isAccepted)
        {
            return;
        }

        var drained = !_kept.IsEmpty;
        if (drained)
        {
            _kept.Consume(carrier.Codec.SendData(stream, _kept.Bytes, endStream: false));
            if (!_kept.IsEmpty)
            {
                return;
            }

            _kept.Free();
        }

        SendEndIfDone();
        EndIfClosing();
        carrier.FlushLater();
        if (drained)
        {
            Handler?.OnDrained();
        }
    }

    /// <summary>The stream, or all of the connection, broke.</summary>
    internal void OnBroken(ChannelError error)
    {
        var handler = Handler;
        Handler = null;
        _isClosing = true;
        handler?.OnFailed(error);
    }

    /// <summary>The stream is over; its object is somebody else's.</summary>
    internal void OnClosed()
    {
        _stream = null;
        if (_isClosing)
        {
            Free();
        }
    }

    public void FlushOutput()
    {
        _isQueued = false;
        if (_isPaused || Handler is not { } handler)
        {
            return;
        }

        if (!_held.IsEmpty)
        {
            var held = _held;
            _held = default;
            handler.OnData(held.Bytes);
            Consume(held.Length);
            held.Free();
        }

        TellEnd();
        carrier.FlushLater();
    }

    public void Abandon() => Abort();

    private void TellEnd()
    {
        if (_inputEnded && !_endTold && !_isPaused && _held.IsEmpty && Handler is { } handler)
        {
            _endTold = true;
            handler.OnEndOfStream();
        }
    }

    private void SendEndIfDone()
    {
        if (_endWanted && !_endSent && _isAccepted && _kept.IsEmpty && _stream is { } stream)
        {
            _endSent = true;
            _ = carrier.Codec.SendData(stream, [], endStream: true);
        }
    }

    /// <summary>Everything has left and nobody listens: a peer that goes on talking is told so.</summary>
    private void EndIfClosing()
    {
        if (_isClosing && _endSent && !_inputEnded && _stream is { } stream)
        {
            carrier.Codec.Reset(stream, Http2ErrorCode.Cancel);
        }
    }

    private void Consume(int count)
    {
        if (count > 0 && _stream is { } stream)
        {
            carrier.Codec.Consume(stream, count);
        }
    }

    private void Drop(ref NativeBuffer buffer)
    {
        Consume(buffer.Length);
        buffer.Free();
    }

    private void Free()
    {
        _kept.Free();
        _held.Free();
    }
}
