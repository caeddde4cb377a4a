// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Tls;

namespace Weft.Proxy.Io;

/// <summary>
/// A two-way stream of bytes on one loop: a socket, or TLS over one. Input is pushed to the <see cref="Handler"/>; output that
/// the peer does not take yet is kept, and <see cref="Unsent"/> tells the writer when to stop its own source.
/// </summary>
internal abstract class ByteChannel
{
    /// <summary>Above this many unsent bytes a writer must pause whoever feeds it.</summary>
    internal const int HighWater = 64 * 1024;

    /// <summary>Who gets the bytes and events; changes hands when a connection goes from one stage to the next.</summary>
    internal IByteHandler? Handler { get; set; }

    /// <summary>Bytes that were written and are not yet with the kernel.</summary>
    internal abstract int Unsent { get; }

    internal abstract bool IsOpen { get; }

    /// <summary>
    /// The end of the stream came from below a layer that should have announced it, so somebody on the way may have made it: what came is not
    /// to be taken for all.
    /// </summary>
    internal virtual bool IsTruncated => false;

    /// <summary>The address of this end of the socket below.</summary>
    internal abstract IpEndpoint LocalAddress { get; }

    /// <summary>Who the other end has proved to be; null without mutual TLS.</summary>
    internal virtual PeerIdentity? Peer => null;

    /// <summary>Sends or keeps the bytes. <paramref name="more"/> says that another write follows at once.</summary>
    internal abstract void Write(ReadOnlySpan<byte> bytes, bool more = false);

    internal abstract void PauseReading();

    internal abstract void ResumeReading();

    /// <summary>Ends the output after what was written; input goes on.</summary>
    internal abstract void ShutdownWrite();

    /// <summary>Sends what was written, then closes. The handler hears nothing any more.</summary>
    internal abstract void Close();

    /// <summary>Closes at once; unsent output is lost, the peer sees a reset. The handler hears nothing any more.</summary>
    internal abstract void Abort();
}

/// <summary>What happens on a channel. Calls come on the channel's loop, never from inside a call to the channel.</summary>
internal interface IByteHandler
{
    /// <summary>An outgoing connection, or a TLS handshake, is complete.</summary>
    void OnConnected();

    /// <summary>Input; the handler uses or copies all of it before it returns.</summary>
    void OnData(Span<byte> data);

    /// <summary>The peer will send nothing more.</summary>
    void OnEndOfStream();

    /// <summary>All output that had been kept is sent.</summary>
    void OnDrained();

    /// <summary>The channel broke and is closed.</summary>
    void OnFailed(ChannelError error);
}

/// <summary>Why a channel broke: the system's error number, or the TLS layer's words.</summary>
internal readonly record struct ChannelError(int Number, string? Tls = null)
{
    internal bool IsTls => Tls is not null;
}
