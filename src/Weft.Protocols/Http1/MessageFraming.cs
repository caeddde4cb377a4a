// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>Decides how a body ends and whether the connection stays (RFC 9112 6.3, 9.3), once all fields are known.</summary>
internal static class MessageFraming
{
    internal static Http1Error Decide(ReadOnlySpan<byte> buffer, RequestHead head, Http1Rules rules)
    {
        var error = Authority(buffer, head);
        if (error == Http1Error.None)
        {
            error = Shared(buffer, head, rules);
        }

        if (error != Http1Error.None)
        {
            return error;
        }

        head.Framing = head.Method == KnownMethod.Connect ? BodyFraming.Tunnel
            : head.Has(KnownHeader.TransferEncoding) ? BodyFraming.Chunked
            : head.ContentLength > 0 ? BodyFraming.Length : BodyFraming.None;

        if (head.IsUpgrade)
        {
            error = WebSocketHandshake.Check(buffer, head, rules, out var accepted);
            head.IsUpgrade = accepted;
        }

        // A 1.0 client cannot know what an interim response is (RFC 9110 10.1.1), nor how to change protocols.
        head.ExpectsContinue &= head.MinorVersion > 0 && head.Framing is BodyFraming.Length or BodyFraming.Chunked;
        return error;
    }

    internal static Http1Error Decide(ReadOnlySpan<byte> buffer, ResponseHead head, KnownMethod request, Http1Rules rules)
    {
        if (Shared(buffer, head, rules) is var error and not Http1Error.None)
        {
            return error;
        }

        var chunked = head.Has(KnownHeader.TransferEncoding);
        if (head.Status == 101 && !head.IsUpgrade)
        {
            return Http1Error.UpgradeInvalid;
        }

        if (head.Status == 101 || (request == KnownMethod.Connect && head.Status is >= 200 and < 300))
        {
            head.Framing = BodyFraming.Tunnel;
        }
        else if (head.Status is < 200 or 204)
        {
            // Such a response has no body. A sender that announces one may send one, too: nothing behind it can be trusted.
            head.Framing = BodyFraming.None;
            head.KeepAlive &= !chunked && head.ContentLength <= 0;
        }
        else if (head.Status == 304 || request == KnownMethod.Head)
        {
            head.Framing = BodyFraming.None;
        }
        else if (chunked)
        {
            head.Framing = BodyFraming.Chunked;
        }
        else if (head.ContentLength >= 0)
        {
            head.Framing = head.ContentLength == 0 ? BodyFraming.None : BodyFraming.Length;
        }
        else
        {
            head.Framing = BodyFraming.UntilClose;
            head.KeepAlive = false;
        }

        return Http1Error.None;
    }

    private static Http1Error Authority(ReadOnlySpan<byte> buffer, RequestHead head)
    {
        if (!head.TryGet(KnownHeader.Host, buffer, out var host))
        {
            return head.MinorVersion > 0 ? Http1Error.HostMissing : Http1Error.None;
        }

        if (head.Authority.IsEmpty)
        {
            head.Authority = head.Fields[head.FirstIndex(KnownHeader.Host)].Value;
            return Http1Error.None;
        }

        // A proxy would have to replace Host by the target's authority; a client that lets them differ is up to something.
        return Ascii.EqualsIgnoreCase(host, head.Authority.Of(buffer)) ? Http1Error.None : Http1Error.HostDiffers;
    }

    private static Http1Error Shared(ReadOnlySpan<byte> buffer, MessageHead head, Http1Rules rules)
    {
        if (head.Has(KnownHeader.TransferEncoding))
        {
            if (head.MinorVersion == 0)
            {
                return Http1Error.TransferEncodingInHttp10;
            }

            if (head.Has(KnownHeader.ContentLength))
            {
                return Http1Error.LengthAndTransferEncoding;
            }
        }

        if (head.Has(KnownHeader.Connection) && Options(buffer, head, rules) is var error and not Http1Error.None)
        {
            return error;
        }

        head.KeepAlive = (head.Options & ConnectionOptions.Close) == ConnectionOptions.None
            && (head.MinorVersion > 0 || (head.Options & ConnectionOptions.KeepAlive) != ConnectionOptions.None);
        head.IsUpgrade = head.MinorVersion > 0 && (head.Options & ConnectionOptions.Upgrade) != ConnectionOptions.None
            && head.Has(KnownHeader.Upgrade);
        return Http1Error.None;
    }

    private static Http1Error Options(ReadOnlySpan<byte> buffer, MessageHead head, Http1Rules rules)
    {
        var options = 0;
        for (var i = head.FirstIndex(KnownHeader.Connection); i < head.FieldCount; i++)
        {
            if (head.Fields[i].Known != KnownHeader.Connection)
            {
                continue;
            }

            var rest = head.Fields[i].Value.Of(buffer);
            while (!rest.IsEmpty)
            {
                var comma = rest.IndexOf((byte)',');
                var option = Octets.Trim(comma < 0 ? rest : rest[..comma]);
                rest = comma < 0 ? default : rest[(comma + 1)..];

                // Elements of a list may be empty (RFC 9110 5.6.1.2), but they count.
                if (++options > rules.MaxConnectionOptions)
                {
                    return Http1Error.TooManyConnectionOptions;
                }

                if (!option.IsEmpty && !Octets.IsToken(option))
                {
                    return Http1Error.ConnectionOption;
                }

                Apply(option, buffer, head);
            }
        }

        return Http1Error.None;
    }

    private static void Apply(ReadOnlySpan<byte> option, ReadOnlySpan<byte> buffer, MessageHead head)
    {
        var found = option.Length switch
        {
            5 when Ascii.EqualsIgnoreCase(option, "close"u8) => ConnectionOptions.Close,
            10 when Ascii.EqualsIgnoreCase(option, "keep-alive"u8) => ConnectionOptions.KeepAlive,
            7 when Ascii.EqualsIgnoreCase(option, "upgrade"u8) => ConnectionOptions.Upgrade,
            _ => ConnectionOptions.None,
        };
        head.Options |= found;
        if (found != ConnectionOptions.None || option.IsEmpty)
        {
            return;
        }

        var fields = head.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i].Name.Length == option.Length
                && (KnownHeaders.Protected & (1UL << (int)fields[i].Known)) == 0
                && Ascii.EqualsIgnoreCase(fields[i].Name.Of(buffer), option))
            {
                head.Hide(i);
            }
        }
    }
}
