// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Compression;
using Weft.Proxy.Filters;
using Weft.Proxy.Limits;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>
/// A chain that carries HTTP, as its connections see it: made once for a plan. Which routes it has is asked of the plan in force, per
/// request.
/// </summary>
internal sealed class HttpChain
{
    private const int BytesPerKilobyte = 1024;

    internal HttpChain(HttpChainPlan plan)
    {
        Plan = plan;
        Stages = FilterOrder.For(plan.Direction);
        GlobalLimits = [.. plan.GlobalLimits.Select(limit => new GlobalLimit(limit))];
        Compression = [.. plan.Compressors.Select(compressor => new CompressionRules(compressor))];
        HidesAccepted = plan.Compressors.Any(compressor => compressor.HidesAccepted);
        PathRules = PathForm.RulesOf(plan.Path);
        Rules = RulesOf(plan, requireWebSocketKey: true);
        FieldRules = RulesOf(plan, requireWebSocketKey: false);
    }

    internal HttpChainPlan Plan { get; }

    internal Stage[] Stages { get; }

    /// <summary>Which answers are compressed.</summary>
    internal CompressionRules[] Compression { get; }

    /// <summary>Servers do not hear which codings clients take.</summary>
    internal bool HidesAccepted { get; }

    /// <summary>Services that are asked about each request.</summary>
    internal GlobalLimit[] GlobalLimits { get; }

    internal TrafficDirection Direction => Plan.Direction;

    /// <summary>What is read as a request. A fragment is cut off, as Istio's proxies do; it was never meant for a server.</summary>
    internal Http1Rules Rules { get; }

    /// <summary>The same for requests that came as HTTP/2 fields: the key that HTTP/1.1 wants of a WebSocket handshake is not there.</summary>
    internal Http1Rules FieldRules { get; }

    internal PathRules PathRules { get; }

    private static Http1Rules RulesOf(HttpChainPlan plan, bool requireWebSocketKey) => new()
    {
        CutFragment = true,
        MaxHeadBytes = plan.Limits.MaxHeadKilobytes * BytesPerKilobyte,
        MaxFields = plan.Limits.MaxFields,
        RequireWebSocketKey = requireWebSocketKey,
        AllowConnect = plan.AllowConnect,
    };
}
