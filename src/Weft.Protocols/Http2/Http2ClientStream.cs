// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace Weft.Protocols.Http2;

/// <summary>One stream that is not over on both sides.</summary>
internal sealed class Http2ClientStream(int sendWindow)
{
    public long SendWindow { get; set; } = sendWindow;

    /// <summary>Bytes received and not yet given back to the peer's window.</summary>
    public int Received { get; set; }

    /// <summary>Body bytes that the windows do not let out yet, from <see cref="UnsentStart"/> on.</summary>
    public ArrayBufferWriter<byte> Unsent { get; } = new();

    public int UnsentStart { get; set; }

    public bool EndAfterUnsent { get; set; }

    public bool SentEnd { get; set; }

    public bool ReceivedEnd { get; set; }

    public bool HasHeaders { get; set; }
}
