// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// One stream of a connection. The object is pooled: it belongs to the caller from <see cref="Http2Connection.Open"/> or
/// <see cref="IHttp2Events.OnRequest"/> to <see cref="IHttp2Events.OnClosed"/>.
/// </summary>
public sealed class Http2Stream
{
    /// <summary>Number on the wire; 0 for a stream that was opened and has sent no headers yet.</summary>
    public int Id { get; internal set; }

    /// <summary>Whatever the caller wants to find again in an event.</summary>
    public object? Owner { get; set; }

    /// <summary>The peer has ended its side.</summary>
    public bool HasReceivedEnd { get; internal set; }

    /// <summary>We have ended our side.</summary>
    public bool HasSentEnd { get; internal set; }

    /// <summary>The stream was reset by either side; nothing more can be sent or will come.</summary>
    public bool IsReset { get; internal set; }

    /// <summary>Bytes received and not given back by <see cref="Http2Connection.Consume"/>.</summary>
    public int Unconsumed { get; internal set; }
}
