// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Weft.Proxy.Tls;

/// <summary>The two secrets that a handshake ends with, as libssl tells them while it makes them. In native memory, wiped when it is given back.</summary>
internal unsafe struct TlsSecrets
{
    private fixed byte _client[TlsSuite.LongestSecret];
    private fixed byte _server[TlsSuite.LongestSecret];
    private int _clientLength;
    private int _serverLength;

    internal static TlsSecrets* New() => (TlsSecrets*)NativeMemory.AllocZeroed((nuint)sizeof(TlsSecrets));

    internal static void Free(TlsSecrets* secrets)
    {
        if (secrets is not null)
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(secrets, sizeof(TlsSecrets)));
            NativeMemory.Free(secrets);
        }
    }

    /// <summary>Takes a line of the form that key logs have: a label, the client's random, the secret; the last two in hex.</summary>
    internal void Take(ReadOnlySpan<byte> line)
    {
        var secret = line[(line.LastIndexOf((byte)' ') + 1)..];
        if (line.StartsWith("CLIENT_TRAFFIC_SECRET_0 "u8))
        {
            fixed (byte* target = _client)
            {
                _clientLength = Decode(secret, new Span<byte>(target, TlsSuite.LongestSecret));
            }
        }
        else if (line.StartsWith("SERVER_TRAFFIC_SECRET_0 "u8))
        {
            fixed (byte* target = _server)
            {
                _serverLength = Decode(secret, new Span<byte>(target, TlsSuite.LongestSecret));
            }
        }
    }

    /// <summary>The records of a connection with these secrets; null if one is missing.</summary>
    internal TlsRecords? Records(TlsSuite suite, bool isServer)
    {
        if (_clientLength != suite.SecretLength || _serverLength != suite.SecretLength)
        {
            return null;
        }

        fixed (byte* client = _client, server = _server)
        {
            var ofClient = new ReadOnlySpan<byte>(client, _clientLength);
            var ofServer = new ReadOnlySpan<byte>(server, _serverLength);
            return isServer ? new TlsRecords(suite, ofClient, ofServer) : new TlsRecords(suite, ofServer, ofClient);
        }
    }

    private static int Decode(ReadOnlySpan<byte> hex, Span<byte> target)
    {
        if (hex.Length > 2 * target.Length || hex.Length % 2 != 0)
        {
            return 0;
        }

        for (var i = 0; i < hex.Length; i += 2)
        {
            target[i / 2] = (byte)((Digit(hex[i]) << 4) | Digit(hex[i + 1]));
        }

        return hex.Length / 2;
    }

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
