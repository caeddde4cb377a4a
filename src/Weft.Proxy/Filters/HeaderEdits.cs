// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Header operations, compiled: which fields go, and the lines that are put behind the rest.</summary>
internal sealed class HeaderEdits
{
    private readonly byte[][] _dropped;
    private readonly HeaderLine[] _lines;

    private HeaderEdits(HeaderOperationsPlan plan)
    {
        List<byte[]> dropped = [];
        List<HeaderLine> lines = [];
        foreach (var name in plan.Remove)
        {
            dropped.Add(Encoding.Latin1.GetBytes(name));
        }

        foreach (var header in plan.Set)
        {
            if (IsAuthority(header.Name))
            {
                Authority = Encoding.Latin1.GetBytes(header.Value);
                continue;
            }

            dropped.Add(Encoding.Latin1.GetBytes(header.Name));
            lines.Add(new HeaderLine(header));
        }

        foreach (var header in plan.Add)
        {
            lines.Add(new HeaderLine(header));
        }

        _dropped = [.. dropped];
        _lines = [.. lines];
    }

    /// <summary>Setting <c>host</c> or <c>:authority</c> changes whom the request is for; null leaves it.</summary>
    internal byte[]? Authority { get; }

    internal static HeaderEdits? Of(HeaderOperationsPlan plan) => plan.IsNone ? null : new HeaderEdits(plan);

    /// <summary>True if fields of that name are removed or replaced.</summary>
    internal bool Drops(ReadOnlySpan<byte> name)
    {
        foreach (var dropped in _dropped)
        {
            if (Ascii.EqualsIgnoreCase(name, dropped))
            {
                return true;
            }
        }

        return false;
    }

    internal void Append(ref NativeBuffer head, Exchange exchange)
    {
        foreach (var line in _lines)
        {
            line.Append(ref head, exchange);
        }
    }

    private static bool IsAuthority(string name) =>
        name.Equals("host", StringComparison.OrdinalIgnoreCase) || name == ":authority";
}

/// <summary>One line that is added; its value may hold operators between percent signs.</summary>
internal sealed class HeaderLine
{
    private readonly byte[] _end;
    private readonly ValuePart[] _parts;

    internal HeaderLine(HeaderPlan header)
    {
        List<ValuePart> parts = [];
        var literal = new StringBuilder(header.Name).Append(": ");
        var value = header.Value;
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] != '%')
            {
                literal.Append(value[at]);
                continue;
            }

            var end = value.IndexOf('%', at + 1);
            if (end == at + 1)
            {
                literal.Append('%');
            }
            else if (end < 0 || ValuePart.TryParse(value[(at + 1)..end]) is not { } part)
            {
                literal.Append(value.AsSpan(at, (end < 0 ? value.Length : end + 1) - at));
                end = end < 0 ? value.Length : end;
            }
            else
            {
                parts.Add(part with { Before = Encoding.UTF8.GetBytes(literal.ToString()) });
                literal.Clear();
            }

            at = end;
        }

        _parts = [.. parts];
        _end = Encoding.UTF8.GetBytes(literal.Append("\r\n").ToString());
    }

    internal void Append(ref NativeBuffer head, Exchange exchange)
    {
        foreach (var part in _parts)
        {
            head.Append(part.Before);
            part.Append(ref head, exchange);
        }

        head.Append(_end);
    }
}

/// <summary>An operator in a header value, and the literal bytes before it.</summary>
internal sealed record ValuePart(ValueOperator Operator, byte[] Name, byte[] Before)
{
    internal static ValuePart? TryParse(string text)
    {
        if (text.StartsWith("REQ(", StringComparison.Ordinal) && text.EndsWith(')'))
        {
            return new ValuePart(ValueOperator.RequestHeader, Encoding.Latin1.GetBytes(text[4..^1].ToLowerInvariant()), []);
        }

        ValueOperator? known = text switch
        {
            "PROTOCOL" => ValueOperator.Protocol,
            "DOWNSTREAM_REMOTE_ADDRESS" => ValueOperator.ClientAddress,
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => ValueOperator.ClientAddressOnly,
            "DOWNSTREAM_PEER_URI_SAN" => ValueOperator.PeerUri,
            "RESPONSE_CODE" => ValueOperator.ResponseCode,
            "UPSTREAM_CLUSTER" => ValueOperator.Cluster,
            "ROUTE_NAME" => ValueOperator.RouteName,
            _ => null,
        };
        return known is { } found ? new ValuePart(found, [], []) : null;
    }

    internal void Append(ref NativeBuffer head, Exchange exchange)
    {
        switch (Operator)
        {
            case ValueOperator.RequestHeader:
                head.Append(exchange.RequestHeader(Name));
                break;
            case ValueOperator.Protocol:
                head.Append(exchange.Downstream.IsHttp2 ? "HTTP/2"u8 : "HTTP/1.1"u8);
                break;
            case ValueOperator.ResponseCode:
                HeadWriter.AppendNumber(ref head, exchange.Status);
                break;
            default:
                AppendText(ref head, TextOf(exchange));
                break;
        }
    }

    private string TextOf(Exchange exchange) => Operator switch
    {
        ValueOperator.ClientAddress => exchange.Client.PeerAddress.ToString(),
        ValueOperator.ClientAddressOnly => exchange.Client.PeerAddress.AddressText(),
        ValueOperator.PeerUri => exchange.Client.Peer?.Uri ?? "-",
        ValueOperator.Cluster => exchange.Cluster?.Plan.Name ?? "-",
        _ => exchange.Route?.Plan.Name ?? "-",
    };

    private static void AppendText(ref NativeBuffer head, string text)
    {
        var room = head.Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        head.Commit(Encoding.UTF8.GetBytes(text, room));
    }
}

/// <summary>Operators that header values may hold.</summary>
internal enum ValueOperator
{
    RequestHeader,
    Protocol,
    ClientAddress,
    ClientAddressOnly,
    PeerUri,
    ResponseCode,
    Cluster,
    RouteName,
}
