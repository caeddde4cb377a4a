// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Stacks;

/// <summary>
/// By which fields the application itself changes what the route says about tries and times; only its own proxy listens: neither a server
/// nor a gateway lets its callers decide. The fields go no further.
/// </summary>
internal sealed partial class Exchange
{
    private RetryConditions _asked;

    private bool MayAsk => Service is { Direction: TrafficDirection.Outbound, Plan.Trust.IsEdge: false };

    /// <summary>Null where the application leaves it to the route.</summary>
    private bool? AskedHedging => !Request.Has(KnownHeader.XEnvoyHedgeOnPerTryTimeout) ? null : AskedText(KnownHeader.XEnvoyHedgeOnPerTryTimeout) switch
    {
        var text when Ascii.EqualsIgnoreCase(text, "true"u8) => true,
        var text when Ascii.EqualsIgnoreCase(text, "false"u8) => false,
        _ => null,
    };

    private void ReadAskedRetries()
    {
        const RetryConditions ByGrpc = RetryConditions.AnyGrpc;
        if (Request.Has(KnownHeader.XEnvoyRetryOn))
        {
            _asked |= RetryWords.OfList(AskedText(KnownHeader.XEnvoyRetryOn)) & ~ByGrpc;
        }

        if (Request.Has(KnownHeader.XEnvoyRetryGrpcOn))
        {
            _asked |= RetryWords.OfList(AskedText(KnownHeader.XEnvoyRetryGrpcOn)) & ByGrpc;
        }
    }

    /// <summary>Null where there is no number, or none that can be read.</summary>
    private int? Asked(KnownHeader header) =>
        Request.Has(header) && AskedText(header) is var text &&
        Utf8Parser.TryParse(text, out int number, out var length) && length == text.Length && number >= 0
            ? number
            : null;

    private bool AsksForStatus(int status)
    {
        var list = AskedText(KnownHeader.XEnvoyRetriableStatusCodes);
        foreach (var range in list.Split((byte)','))
        {
            var item = list[range][Ascii.Trim(list[range])];
            if (Utf8Parser.TryParse(item, out int number, out var length) && length == item.Length && number == status)
            {
                return true;
            }
        }

        return false;
    }

    private bool AsksForFieldOf(ResponseHead response, ReadOnlySpan<byte> bytes)
    {
        var list = AskedText(KnownHeader.XEnvoyRetriableHeaderNames);
        foreach (var range in list.Split((byte)','))
        {
            var name = list[range][Ascii.Trim(list[range])];
            foreach (ref readonly var field in response.Fields)
            {
                if (Ascii.EqualsIgnoreCase(field.Name.Of(bytes), name))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Empty where nobody listens.</summary>
    private ReadOnlySpan<byte> AskedText(KnownHeader header) =>
        MayAsk && Request.TryGet(header, RequestBytes, out var text) ? text : default;
}
