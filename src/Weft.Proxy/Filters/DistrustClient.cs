// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>
/// Takes away what a client may not say about itself, before anybody believes it. What is taken away is neither matched nor forwarded.
/// </summary>
internal sealed class DistrustClient : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        var trust = exchange.Service.Plan.Trust;
        var request = exchange.Request;
        var checksIdentity = request.Has(KnownHeader.L5dClientId) && exchange.Service.Direction == TrafficDirection.Inbound;
        if (!trust.IsEdge && !checksIdentity && trust.Underscores == UnderscoreNames.Allow)
        {
            return StageResult.Continue;
        }

        var bytes = exchange.RequestBytes;
        var fields = request.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            var name = fields[i].Name.Of(bytes);
            if (trust.Underscores != UnderscoreNames.Allow && name.Contains((byte)'_'))
            {
                if (trust.Underscores == UnderscoreNames.Refuse)
                {
                    exchange.AnswerFailure(new Failure(FailureKind.UnderscoreName), last: true);
                    return StageResult.Done;
                }

                request.Hide(i);
            }
            else if (fields[i].Known == KnownHeader.L5dClientId || (trust.IsEdge && IsTheMeshs(name, fields[i].Known, trust)))
            {
                request.Hide(i);
            }
        }

        exchange.KeepOrMakeRequestId();
        return StageResult.Continue;
    }

    private static bool IsTheMeshs(ReadOnlySpan<byte> name, KnownHeader known, TrustPlan trust) => known switch
    {
        KnownHeader.XRequestId => !trust.KeepRequestId,
        KnownHeader.XForwardedProto => trust.TrustedProxies == 0,
        _ => Begins(name, "x-envoy-"u8) || Begins(name, "l5d-"u8) || Begins(name, "x-weft-"u8)
            || (trust.TrustedProxies == 0 && IsForwardedHost(name)),
    };

    private static bool IsForwardedHost(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "x-forwarded-host"u8) || Ascii.EqualsIgnoreCase(name, "x-forwarded-port"u8);

    private static bool Begins(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) =>
        name.Length > lower.Length && Ascii.EqualsIgnoreCase(name[..lower.Length], lower);
}
