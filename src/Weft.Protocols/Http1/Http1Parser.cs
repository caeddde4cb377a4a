// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>
/// Reads the heads of HTTP/1.1 messages out of a buffer that grows. Strict: what two implementations could understand differently
/// is refused (RFC 9112 11.2), because a proxy must never see other messages than the application behind it.
/// </summary>
/// <remarks>
/// The caller passes the same bytes again with more behind them until the answer is not <see cref="ParseStatus.NeedMore"/>; the
/// head remembers how far it came, so no line is read twice. Nothing is allocated.
/// </remarks>
public static class Http1Parser
{
    /// <summary>Reads a request head that begins at the first byte of the buffer.</summary>
    public static ParseStatus TryParseRequest(ReadOnlySpan<byte> buffer, RequestHead head, Http1Rules rules)
    {
        while (TryTakeLine(buffer, head, rules, out var status, out var line))
        {
            if (head.Phase == ParserPhase.StartLine)
            {
                if (line.IsEmpty)
                {
                    if (++head.EmptyLines > rules.MaxLeadingEmptyLines)
                    {
                        return Fail(head, Http1Error.LeadingEmptyLines);
                    }

                    continue;
                }

                status = RequestLine.Parse(line, head, rules) is var error and not Http1Error.None
                    ? Fail(head, error)
                    : StartFields(head);
            }
            else
            {
                status = line.IsEmpty ? End(buffer, head, rules) : TakeField(line, head, rules);
            }

            if (status != ParseStatus.NeedMore)
            {
                return status;
            }
        }

        return head.Phase switch
        {
            ParserPhase.Done => ParseStatus.Done,
            ParserPhase.Failed => ParseStatus.Invalid,
            _ => ParseStatus.NeedMore,
        };
    }

    /// <summary>Reads a response head that begins at the first byte of the buffer.</summary>
    /// <param name="buffer">All bytes of this response so far.</param>
    /// <param name="head">Filled in.</param>
    /// <param name="request">The method that it answers; HEAD and CONNECT change what a body is.</param>
    /// <param name="rules">Limits.</param>
    public static ParseStatus TryParseResponse(
        ReadOnlySpan<byte> buffer, ResponseHead head, KnownMethod request, Http1Rules rules)
    {
        while (TryTakeLine(buffer, head, rules, out var status, out var line))
        {
            if (head.Phase == ParserPhase.StartLine)
            {
                status = StatusLine.Parse(line, head) is var error and not Http1Error.None
                    ? Fail(head, error)
                    : StartFields(head);
            }
            else
            {
                status = line.IsEmpty ? End(buffer, head, request, rules) : TakeField(line, head, rules);
            }

            if (status != ParseStatus.NeedMore)
            {
                return status;
            }
        }

        return head.Phase switch
        {
            ParserPhase.Done => ParseStatus.Done,
            ParserPhase.Failed => ParseStatus.Invalid,
            _ => ParseStatus.NeedMore,
        };
    }

    /// <summary>The next complete line without its CR LF; false if there is none, or the bytes are refused.</summary>
    private static bool TryTakeLine(
        ReadOnlySpan<byte> buffer, MessageHead head, Http1Rules rules, out ParseStatus status, out ReadOnlySpan<byte> line)
    {
        status = ParseStatus.NeedMore;
        line = default;
        if (head.Phase is ParserPhase.Done or ParserPhase.Failed)
        {
            return false;
        }

        var start = head.LineStart;
        var newline = buffer[head.Searched..].IndexOf((byte)'\n');
        var end = newline < 0 ? buffer.Length : head.Searched + newline;
        if (head.Phase == ParserPhase.StartLine
            && StartLineProblem(buffer[start..end], head, rules) is var problem and not Http1Error.None)
        {
            Fail(head, problem);
            return false;
        }

        // An incomplete line needs at least one byte more than is there.
        if (end + 1 > rules.MaxHeadBytes)
        {
            Fail(head, Http1Error.HeadTooLong);
            return false;
        }

        if (newline < 0)
        {
            head.Searched = end;
            return false;
        }

        if (end == start || buffer[end - 1] != '\r')
        {
            Fail(head, Http1Error.BareLineFeed);
            return false;
        }

        line = buffer[start..(end - 1)];
        head.LineStart = end + 1;
        head.Searched = end + 1;
        return true;
    }

    /// <summary>Refuses early what can never become a start line, so that nobody waits for the end of something else.</summary>
    private static Http1Error StartLineProblem(ReadOnlySpan<byte> line, MessageHead head, Http1Rules rules)
    {
        if (line.IsEmpty || line[0] == '\r')
        {
            return Http1Error.None;
        }

        if (head is ResponseHead)
        {
            return line[0] == 'H' ? Http1Error.None : Http1Error.StatusLine;
        }

        if (!Octets.Token.Contains(line[0]))
        {
            return Http1Error.Method;
        }

        var space = line[..Math.Min(line.Length, rules.MaxMethodBytes + 1)].IndexOf((byte)' ');
        if (space < 0)
        {
            return line.Length > rules.MaxMethodBytes ? Http1Error.MethodTooLong : Http1Error.None;
        }

        // Behind the target stand a space, eight letters of version and the CR.
        const int BehindTarget = 10;
        return line.Length - space - 1 > rules.MaxTargetBytes + BehindTarget ? Http1Error.TargetTooLong : Http1Error.None;
    }

    private static ParseStatus StartFields(MessageHead head)
    {
        head.Phase = ParserPhase.Fields;
        head.FieldsStart = head.LineStart;
        return ParseStatus.NeedMore;
    }

    private static ParseStatus TakeField(ReadOnlySpan<byte> line, MessageHead head, Http1Rules rules)
    {
        if (head.FieldCount >= rules.MaxFields)
        {
            return Fail(head, Http1Error.TooManyFields);
        }

        // The line ends two bytes before the next one.
        var start = head.LineStart - 2 - line.Length;
        return FieldLine.Parse(start, line, head) is var error and not Http1Error.None
            ? Fail(head, error)
            : ParseStatus.NeedMore;
    }

    private static ParseStatus End(ReadOnlySpan<byte> buffer, RequestHead head, Http1Rules rules) =>
        Close(head, MessageFraming.Decide(buffer, head, rules));

    private static ParseStatus End(ReadOnlySpan<byte> buffer, ResponseHead head, KnownMethod request, Http1Rules rules) =>
        Close(head, MessageFraming.Decide(buffer, head, request, rules));

    private static ParseStatus Close(MessageHead head, Http1Error error)
    {
        if (error != Http1Error.None)
        {
            return Fail(head, error);
        }

        head.Length = head.LineStart;
        head.Phase = ParserPhase.Done;
        return ParseStatus.Done;
    }

    private static ParseStatus Fail(MessageHead head, Http1Error error)
    {
        head.Error = error;
        head.Phase = ParserPhase.Failed;
        head.KeepAlive = false;
        return ParseStatus.Invalid;
    }
}
