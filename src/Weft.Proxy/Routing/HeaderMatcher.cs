// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Routing;

/// <summary>A condition on a header. Several fields of one name count as one value, joined by commas (RFC 9110 5.3).</summary>
internal sealed class HeaderMatcher
{
    /// <summary>Room for values of repeated fields; what is longer together matches nothing.</summary>
    public const int MaxJoined = 8 * 1024;

    [ThreadStatic]
    private static byte[]? _joined;

    private readonly byte[] _name;
    private readonly TextMatcher _text;
    private readonly Source _source;

    public HeaderMatcher(NamedMatchPlan plan)
    {
        _name = Encoding.ASCII.GetBytes(plan.Name.ToLowerInvariant());
        _text = TextMatcher.Compile(plan.Text);
        _source = plan.Name.ToLowerInvariant() switch
        {
            ":method" => Source.Method,
            ":authority" or "host" => Source.Authority,
            ":scheme" => Source.Scheme,
            ":path" => Source.Target,
            _ => Source.Field,
        };
    }

    private enum Source : byte
    {
        Field,
        Method,
        Authority,
        Scheme,
        Target,
    }

    public bool Matches(in RouteRequest request)
    {
        switch (_source)
        {
            case Source.Method:
                return _text.Holds(request.Head.MethodText.Of(request.Bytes)) != _text.Invert;
            case Source.Authority:
                return _text.Holds(request.Authority) != _text.Invert;
            case Source.Scheme:
                return _text.Holds(request.Scheme) != _text.Invert;
            case Source.Target:
                return _text.Holds(request.Head.Target.Of(request.Bytes)) != _text.Invert;
        }

        return MatchesField(request.Head, request.Bytes);
    }

    /// <summary>The same for a field of a response, which has no method and no target.</summary>
    public bool MatchesField(MessageHead head, ReadOnlySpan<byte> bytes)
    {
        var first = head.IndexOf(_name, bytes);
        if (first < 0)
        {
            return MatchesAbsent();
        }

        var second = head.IndexOf(_name, bytes, first + 1);
        return second < 0
            ? _text.Holds(head.Fields[first].Value.Of(bytes)) != _text.Invert
            : MatchesJoined(head, bytes, first, second);
    }

    /// <summary>What is absent fits nothing; turned round, it counts as an empty text, unless presence is what was asked.</summary>
    private bool MatchesAbsent() => _text.Invert && (_text.Kind == TextMatchKind.Present || !_text.Holds(default));

    private bool MatchesJoined(MessageHead head, ReadOnlySpan<byte> bytes, int first, int next)
    {
        var joined = _joined ??= new byte[MaxJoined];
        var value = head.Fields[first].Value.Of(bytes);
        if (value.Length > joined.Length)
        {
            return _text.Invert;
        }

        value.CopyTo(joined);
        var length = value.Length;
        for (; next >= 0; next = head.IndexOf(_name, bytes, next + 1))
        {
            value = head.Fields[next].Value.Of(bytes);
            if (length + 1 + value.Length > joined.Length)
            {
                return _text.Invert;
            }

            joined[length++] = (byte)',';
            value.CopyTo(joined.AsSpan(length));
            length += value.Length;
        }

        return _text.Holds(joined.AsSpan(0, length)) != _text.Invert;
    }
}
