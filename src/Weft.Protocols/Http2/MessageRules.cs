// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http1;

namespace Weft.Protocols.Http2;

/// <summary>Judges decoded header sections (RFC 9113 section 8) and makes the view of those that pass.</summary>
internal static class MessageRules
{
    private const ulong ConnectionSpecific =
        (1UL << (int)KnownHeader.Connection) | (1UL << (int)KnownHeader.KeepAlive) | (1UL << (int)KnownHeader.ProxyConnection)
        | (1UL << (int)KnownHeader.TransferEncoding) | (1UL << (int)KnownHeader.Upgrade);

    private const int RequestPseudo =
        (1 << (int)PseudoHeader.Method) | (1 << (int)PseudoHeader.Scheme) | (1 << (int)PseudoHeader.Authority)
        | (1 << (int)PseudoHeader.Path) | (1 << (int)PseudoHeader.Protocol);

    private const int ResponsePseudo = 1 << (int)PseudoHeader.Status;

    private static readonly SearchValues<byte> _scheme =
        SearchValues.Create("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    internal static MessageFault Request(HeaderSection section, bool allowExtendedConnect, LineRewriter rewriter, out Http2Fields fields)
    {
        fields = default;
        var fault = Shared(section, RequestPseudo, out var length);
        if (fault == MessageFault.None)
        {
            fault = Target(section, allowExtendedConnect);
        }

        var authority = section.ValueOf(PseudoHeader.Authority);
        if (fault == MessageFault.None)
        {
            fault = Authority(section, ref authority);
        }

        if (fault != MessageFault.None)
        {
            return fault;
        }

        var method = section.ValueOf(PseudoHeader.Method);
        var hasHost = (section.Present & (1UL << (int)KnownHeader.Host)) != 0;
        var rewrite = hasHost || section.Cookies > 1;
        if (rewrite)
        {
            rewriter.Rewrite(section);
        }

        fields = new Http2Fields
        {
            Bytes = rewrite ? rewriter.Text : section.Text,
            Entries = rewrite ? rewriter.Fields : section.Fields,
            Lines = rewrite ? rewriter.Text : section.Lines,
            Method = method,
            KnownMethod = KnownMethods.Classify(method),
            Scheme = section.ValueOf(PseudoHeader.Scheme),
            Authority = authority,
            Path = section.ValueOf(PseudoHeader.Path),
            Protocol = section.ValueOf(PseudoHeader.Protocol),
            ContentLength = length,
            Present = section.Present & ~(1UL << (int)KnownHeader.Host),
        };

        // CONNECT has no content (RFC 9110 section 9.3.6): a length would let somebody behind us see one.
        return fields.KnownMethod == KnownMethod.Connect && length >= 0 ? MessageFault.LengthInvalid : MessageFault.None;
    }

    internal static MessageFault Response(HeaderSection section, out Http2Fields fields)
    {
        fields = default;
        var fault = Shared(section, ResponsePseudo, out var length);
        if (fault != MessageFault.None)
        {
            return fault;
        }

        var status = section.ValueOf(PseudoHeader.Status);
        if (status.Length != 3 || status.ContainsAnyExceptInRange((byte)'0', (byte)'9') || status[0] is < (byte)'1' or > (byte)'5'
            || status.SequenceEqual("101"u8))
        {
            return MessageFault.StatusInvalid;
        }

        fields = new Http2Fields
        {
            Bytes = section.Text,
            Entries = section.Fields,
            Lines = section.Lines,
            Status = ((status[0] - '0') * 100) + ((status[1] - '0') * 10) + status[2] - '0',
            ContentLength = length,
            Present = section.Present,
        };
        return MessageFault.None;
    }

    internal static MessageFault Trailers(HeaderSection section, out Http2Fields fields)
    {
        var fault = Shared(section, 0, out _);
        fields = new Http2Fields
        {
            Bytes = section.Text,
            Entries = section.Fields,
            Lines = section.Lines,
            ContentLength = -1,
            Present = section.Present,
        };
        return fault;
    }

    private static MessageFault Shared(HeaderSection section, int pseudoMask, out long length)
    {
        length = -1;
        if (section.Fault != FieldFault.None)
        {
            return section.Fault == FieldFault.Name ? MessageFault.FieldName : MessageFault.FieldValue;
        }

        if (section.HasMisplacedPseudo)
        {
            return MessageFault.PseudoMisplaced;
        }

        if (!section.HasOnly(pseudoMask))
        {
            return MessageFault.PseudoUnexpected;
        }

        if ((section.Present & ConnectionSpecific) != 0)
        {
            return MessageFault.ConnectionSpecific;
        }

        if (!TryFind(section, KnownHeader.Te, out var te))
        {
            return Length(section, ref length);
        }

        return (section.Repeated & (1UL << (int)KnownHeader.Te)) == 0 && Ascii.EqualsIgnoreCase(te, "trailers"u8)
            ? Length(section, ref length)
            : MessageFault.Te;
    }

    private static MessageFault Length(HeaderSection section, ref long length)
    {
        if (!TryFind(section, KnownHeader.ContentLength, out var text))
        {
            return MessageFault.None;
        }

        // 18 digits fit a long; the same value twice is refused too, because somebody on the way may take the other one.
        if (text.Length is 0 or > 18 || text.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || (section.Repeated & (1UL << (int)KnownHeader.ContentLength)) != 0)
        {
            return MessageFault.LengthInvalid;
        }

        length = 0;
        foreach (var digit in text)
        {
            length = (length * 10) + digit - '0';
        }

        return MessageFault.None;
    }

    private static MessageFault Target(HeaderSection section, bool allowExtendedConnect)
    {
        var method = section.ValueOf(PseudoHeader.Method);
        if (!Octets.IsToken(method))
        {
            return MessageFault.MethodInvalid;
        }

        var isConnect = method.SequenceEqual("CONNECT"u8);
        if (section.Has(PseudoHeader.Protocol))
        {
            if (!isConnect || !allowExtendedConnect || !Octets.IsToken(section.ValueOf(PseudoHeader.Protocol)))
            {
                return MessageFault.ExtendedConnect;
            }
        }
        else if (isConnect)
        {
            return section.Has(PseudoHeader.Scheme) || section.Has(PseudoHeader.Path) || !section.Has(PseudoHeader.Authority)
                ? MessageFault.ConnectTarget
                : MessageFault.None;
        }

        var scheme = section.ValueOf(PseudoHeader.Scheme);
        if (scheme.IsEmpty || !char.IsAsciiLetter((char)scheme[0]) || scheme.ContainsAnyExcept(_scheme))
        {
            return MessageFault.SchemeInvalid;
        }

        var path = section.ValueOf(PseudoHeader.Path);
        var isAsterisk = path.Length == 1 && path[0] == '*' && method.SequenceEqual("OPTIONS"u8);
        return (path.Length > 0 && path[0] == '/' && !path.ContainsAnyExcept(Octets.Target)) || isAsterisk
            ? MessageFault.None
            : MessageFault.PathInvalid;
    }

    private static MessageFault Authority(HeaderSection section, ref ReadOnlySpan<byte> authority)
    {
        var hasHost = TryFind(section, KnownHeader.Host, out var host);
        if (hasHost && (section.Repeated & (1UL << (int)KnownHeader.Host)) != 0)
        {
            return MessageFault.HostRepeated;
        }

        if (!section.Has(PseudoHeader.Authority))
        {
            if (!hasHost)
            {
                return MessageFault.AuthorityMissing;
            }

            authority = host;
        }
        else if (hasHost && !Ascii.EqualsIgnoreCase(host, authority))
        {
            return MessageFault.HostDiffers;
        }

        return Authorities.TrySplit(authority, out _, out _) ? MessageFault.None : MessageFault.AuthorityInvalid;
    }

    private static bool TryFind(HeaderSection section, KnownHeader header, out ReadOnlySpan<byte> value)
    {
        value = default;
        if ((section.Present & (1UL << (int)header)) == 0)
        {
            return false;
        }

        foreach (ref readonly var field in section.Fields)
        {
            if (field.Known == header)
            {
                value = field.Value.Of(section.Text);
                return true;
            }
        }

        return false;
    }
}
