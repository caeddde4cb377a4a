// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Reads <c>name</c> and <c>name:port</c> as in Host, <c>:authority</c> and CONNECT.</summary>
public static class Authorities
{
    /// <summary>Splits an authority; false if it is not well-formed. The port is 0 if none is given, brackets belong to the host.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> authority, out int hostLength, out int port)
    {
        port = 0;
        hostLength = HostLength(authority);
        if (hostLength <= 0 || hostLength == authority.Length)
        {
            return hostLength > 0;
        }

        var digits = authority[(hostLength + 1)..];
        if (authority[hostLength] != ':' || digits.Length is 0 or > 5)
        {
            return false;
        }

        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            port = (port * 10) + digit - '0';
        }

        return port is > 0 and <= 65535;
    }

    private static int HostLength(ReadOnlySpan<byte> authority)
    {
        if (authority.IsEmpty)
        {
            return 0;
        }

        if (authority[0] != '[')
        {
            var end = authority.IndexOfAnyExcept(Octets.HostName);
            return end < 0 ? authority.Length : end;
        }

        var close = authority.IndexOf((byte)']');
        return close < 3 || authority[1..close].ContainsAnyExcept(Octets.Ip6) ? 0 : close + 1;
    }
}
