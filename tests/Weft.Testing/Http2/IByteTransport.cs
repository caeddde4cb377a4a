// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>A connection to a server under test, whatever it is made of.</summary>
public interface IByteTransport
{
    /// <summary>Sends all of it, or nothing if the other side has gone.</summary>
    void Send(byte[] bytes);

    /// <summary>The next bytes; empty when the server closed the connection, null when nothing more comes.</summary>
    byte[]? Receive();
}
