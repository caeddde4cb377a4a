// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>
/// The body of one HTTP/2 stream, both ways: keeps what the peer's windows do not let out yet, and gives received bytes back to our
/// windows only while somebody takes them. Used again for stream after stream.
/// </summary>
internal sealed class Http2Flow
{
    private Http2Connection? _connection;
    private Http2Stream? _stream;
    private NativeBuffer _kept;
    private NativeBuffer _trailers;
    private long _left;
    private int _held;
    private bool _isSized;
    private bool _paused;
    private bool _endWaits;

    internal bool IsOpen => _stream is not null;

    /// <summary>Bytes that were written and that the windows have not let out.</summary>
    internal int Unsent => _kept.Length;

    /// <summary>The end of our side was written; it may still wait behind bytes.</summary>
    internal bool HasEnd { get; private set; }

    internal void Open(Http2Connection connection, Http2Stream stream)
    {
        _connection = connection;
        _stream = stream;
        HasEnd = _paused = _endWaits = _isSized = false;
        _held = 0;
    }

    /// <summary>How long the body will be, so that its last bytes carry the end with them; without it the end is a frame of its own.</summary>
    internal void Expect(long length)
    {
        _isSized = length >= 0;
        _left = length;
    }

    /// <summary>The head has gone out with the end of the stream in it.</summary>
    internal void EndWithHead() => HasEnd = true;

    internal void Write(ReadOnlySpan<byte> payload)
    {
        if (_stream is null || HasEnd)
        {
            return;
        }

        _left -= payload.Length;
        HasEnd = _isSized && _left <= 0;
        var taken = _kept.IsEmpty ? _connection!.SendData(_stream, payload, HasEnd) : 0;
        if (taken < payload.Length)
        {
            _kept.Append(payload[taken..]);
            _endWaits = HasEnd;
        }
    }

    internal void End(ReadOnlySpan<byte> trailers)
    {
        if (_stream is null || HasEnd)
        {
            return;
        }

        HasEnd = true;
        if (_kept.IsEmpty)
        {
            SendEnd(trailers);
            return;
        }

        _endWaits = true;
        _trailers.Append(trailers);
    }

    /// <summary>The windows have opened; true once nothing is kept any more.</summary>
    internal bool Continue()
    {
        if (_stream is null)
        {
            return false;
        }

        if (!_kept.IsEmpty)
        {
            var endsHere = _endWaits && _trailers.IsEmpty;
            _kept.Consume(_connection!.SendData(_stream, _kept.Bytes, endsHere));
            if (!_kept.IsEmpty)
            {
                return false;
            }

            _kept.Free();
            if (_endWaits && !endsHere)
            {
                SendEnd(_trailers.Bytes);
            }

            _endWaits = false;
            _trailers.Free();
        }

        return true;
    }

    /// <summary>Bytes came in and were passed on.</summary>
    internal void Received(int count)
    {
        if (_paused)
        {
            _held += count;
        }
        else if (count > 0 && _stream is not null)
        {
            _connection!.Consume(_stream, count);
        }
    }

    internal void Pause() => _paused = true;

    internal void Resume()
    {
        _paused = false;
        var held = _held;
        _held = 0;
        Received(held);
    }

    /// <summary>The stream is no more.</summary>
    internal void Close()
    {
        _connection = null;
        _stream = null;
        _held = 0;
        _kept.Free();
        _trailers.Free();
    }

    private void SendEnd(ReadOnlySpan<byte> trailers)
    {
        if (!Http2Head.WriteTrailers(_connection!, _stream!, trailers))
        {
            _ = _connection!.SendData(_stream!, [], endStream: true);
        }
    }
}
