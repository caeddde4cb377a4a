// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Local.Relays;

/// <summary>The one line that a relayed connection begins with: <c>CONNECT address:port</c> and a line feed.</summary>
internal static class RelayHeader
{
    /// <summary>The longest header taken.</summary>
    public const int MaxBytes = 64;

    private const string Verb = "CONNECT ";

    public static byte[] Encode(string target) => Encoding.ASCII.GetBytes($"{Verb}{target}\n");

    /// <summary>Reads the header and not one byte more.</summary>
    public static async Task<IPEndPoint> ReadAsync(Socket socket, CancellationToken ct)
    {
        var line = new byte[MaxBytes];
        for (var length = 0; length < MaxBytes; length++)
        {
            // Byte by byte: what follows the line belongs to the connection.
            if (await socket.ReceiveAsync(line.AsMemory(length, 1), SocketFlags.None, ct) == 0)
            {
                throw new FormatException("A relayed connection ended before its header did.");
            }

            if (line[length] == (byte)'\n')
            {
                return Parse(Encoding.ASCII.GetString(line, 0, length));
            }
        }

        throw new FormatException($"A relayed connection's header is longer than {MaxBytes} bytes.");
    }

    internal static IPEndPoint Parse(string line)
    {
        if (line.StartsWith(Verb, StringComparison.Ordinal)
            && IPEndPoint.TryParse(line.AsSpan(Verb.Length), out var target)
            && target.Port != 0)
        {
            return target;
        }

        throw new FormatException($"'{line}' is not 'CONNECT address:port'.");
    }
}
