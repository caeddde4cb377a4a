// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Reads <c>version SP status [SP reason]</c> (RFC 9112 4).</summary>
internal static class StatusLine
{
    private const int BeforeReason = 12;

    internal static Http1Error Parse(ReadOnlySpan<byte> line, ResponseHead head)
    {
        var start = head.LineStart - 2 - line.Length;
        head.StartLineStart = start;
        if (line.Length < BeforeReason || line[8] != ' ')
        {
            return Http1Error.StatusLine;
        }

        if (RequestLine.Version(line[..8], head) is var error and not Http1Error.None)
        {
            return error;
        }

        var status = 0;
        foreach (var digit in line[9..BeforeReason])
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return Http1Error.StatusLine;
            }

            status = (status * 10) + digit - '0';
        }

        if (status is < 100 or > 599)
        {
            return Http1Error.StatusLine;
        }

        head.Status = status;

        // The space belongs to the grammar, but servers that send no reason leave it out, too.
        if (line.Length == BeforeReason)
        {
            return Http1Error.None;
        }

        var reason = line[(BeforeReason + 1)..];
        if (line[BeforeReason] != ' ' || reason.ContainsAnyExcept(Octets.FieldValue))
        {
            return reason.Contains((byte)'\r') ? Http1Error.BareCarriageReturn : Http1Error.StatusLine;
        }

        head.Reason = new TextRange(start + BeforeReason + 1, reason.Length);
        return Http1Error.None;
    }
}
