// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>Which end of a connection we are: the client opens the streams with odd numbers, the server answers them.</summary>
public enum Http2Role : byte
{
    Client,
    Server,
}
