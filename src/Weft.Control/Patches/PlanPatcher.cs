// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Weft.Model.Intent;
using Weft.Wire;
using Weft.Wire.Plans;

namespace Weft.Control.Patches;

/// <summary>
/// Changes encoded plans as operators' patches say. A patch that makes of a resource what the proxy would refuse is left out there: its
/// neighbours, and everything else that the proxy is told, stay.
/// </summary>
internal sealed class PlanPatcher
{
    private const int VersionBytes = 8;

    // What a patch makes of a resource is the same for every proxy that shares the resource.
    private readonly ConditionalWeakTable<EncodedResource, Dictionary<PlanPatch, PatchResult>> _known = [];

    /// <summary>The patched plan, and what became of each patch.</summary>
    public (EncodedPlan Plan, IReadOnlyList<PatchOutcome> Outcomes) Apply(EncodedPlan plan, IReadOnlyList<PlanPatch> patches, bool isGateway)
    {
        var outcomes = new List<PatchOutcome>();
        foreach (var patch in patches.Where(p => IsFor(p.Context, isGateway)))
        {
            var run = new Run(this, patch);
            plan = patch.Target switch
            {
                PatchTarget.Cluster => plan with { Clusters = run.Each(plan.Clusters) },
                PatchTarget.RouteConfiguration or PatchTarget.VirtualHost or PatchTarget.HttpRoute => plan with
                {
                    // Tables that are asked for by name belong to clients' listeners, those of servers travel in the listener.
                    RouteTables = patch.Context == PatchContext.SidecarInbound ? plan.RouteTables : run.Each(plan.RouteTables),
                    Listeners = patch.Context is PatchContext.SidecarOutbound ? plan.Listeners : run.Each(plan.Listeners),
                },
                _ => plan with { Listeners = run.Each(plan.Listeners) },
            };
            outcomes.Add(new PatchOutcome(patch, run.Matched, run.Problem) { Ignored = run.Ignored });
        }

        return (plan, outcomes);
    }

    private static bool IsFor(PatchContext context, bool isGateway) => context switch
    {
        PatchContext.Gateway => isGateway,
        PatchContext.Any => true,
        _ => !isGateway,
    };

    private PatchResult Result(EncodedResource resource, PlanPatch patch)
    {
        var results = _known.GetValue(resource, _ => []);
        if (!results.TryGetValue(patch, out var result))
        {
            results.Add(patch, result = Make(resource, patch));
        }

        return result;
    }

    private static PatchResult Make(EncodedResource resource, PlanPatch patch)
    {
        try
        {
            var (message, matched) = Change(resource, patch);
            if (!matched || message is null)
            {
                return new PatchResult(matched ? null : resource, matched, null);
            }

            var body = message.ToByteString();
            var decoded = PlanDecoder.Decode(resource.TypeUrl, resource.Name, body);
            return decoded.Errors.IsEmpty
                ? new PatchResult(new EncodedResource(resource.TypeUrl, resource.Name, Version(body), body), true, null) { Ignored = Ignored(resource, decoded) }
                : new PatchResult(resource, true, $"{decoded.Errors[0].Field}: {decoded.Errors[0].Fact}");
        }
        catch (PatchException problem)
        {
            return new PatchResult(resource, true, problem.Message);
        }
    }

    /// <summary>What of the patched resource has no effect that had one, or was not there, before; null for nothing.</summary>
    private static string? Ignored(EncodedResource before, DecodedResource after)
    {
        if (after.Warnings.IsEmpty)
        {
            return null;
        }

        var known = PlanDecoder.Decode(before.TypeUrl, before.Name, before.Body).Warnings;
        return after.Warnings.FirstOrDefault(warning => !known.Contains(warning)) is { } first ? $"{first.Field}: {first.Fact}" : null;
    }

    /// <summary>The changed message, null for one that is removed.</summary>
    private static (IMessage? Message, bool Matched) Change(EncodedResource resource, PlanPatch patch)
    {
        switch (resource.TypeUrl)
        {
            case TypeUrls.Listener:
                var listener = Listener.Parser.ParseFrom(resource.Body);
                return (listener, IsMeant(listener, patch.Context) && ListenerPatch.Apply(listener, patch));
            case TypeUrls.RouteTable:
                var table = RouteConfiguration.Parser.ParseFrom(resource.Body);
                return (table, RoutePatch.Apply(table, patch));
            default:
                return ChangeCluster(resource, patch);
        }
    }

    private static bool IsMeant(Listener listener, PatchContext context) => context switch
    {
        PatchContext.SidecarInbound => listener.TrafficDirection == Envoy.Config.Core.V3.TrafficDirection.Inbound,
        PatchContext.SidecarOutbound => listener.TrafficDirection == Envoy.Config.Core.V3.TrafficDirection.Outbound,
        _ => true,
    };

    /// <summary><c>outbound|80|v1|reviews.shop.svc.cluster.local</c> says all that is asked for.</summary>
    private static (IMessage? Message, bool Matched) ChangeCluster(EncodedResource resource, PlanPatch patch)
    {
        var parts = resource.Name.Split('|');
        var (direction, port, subset, host) = parts is [var d, var p, var s, var h] ? (d, p, s, h) : ("", "", "", "");
        var match = patch.Match;
        var isMeant = (match.Name.Length == 0 || match.Name == resource.Name)
            && (match.Service.Length == 0 || match.Service == host)
            && (match.Subset.Length == 0 || match.Subset == subset)
            && (match.Port == 0 || match.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) == port)
            && (patch.Context is PatchContext.Any or PatchContext.Gateway || direction == (patch.Context == PatchContext.SidecarInbound ? "inbound" : "outbound"));
        if (!isMeant || patch.Operation is not (PatchOperation.Merge or PatchOperation.Remove))
        {
            return (null, false);
        }

        if (patch.Operation == PatchOperation.Remove)
        {
            return (null, true);
        }

        var cluster = Cluster.Parser.ParseFrom(resource.Body);
        cluster.MergeFrom(PatchValues.Read<Cluster>(patch.Value));
        return (cluster, true);
    }

    private static string Version(ByteString body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body.Span, hash);
        return Convert.ToHexStringLower(hash[..VersionBytes]);
    }

    /// <summary>One patch on its way through a plan.</summary>
    private sealed class Run(PlanPatcher patcher, PlanPatch patch)
    {
        public bool Matched { get; private set; }

        public string? Problem { get; private set; }

        public string? Ignored { get; private set; }

        public ImmutableArray<EncodedResource> Each(ImmutableArray<EncodedResource> resources)
        {
            var isWhole = patch.Target is PatchTarget.Listener or PatchTarget.Cluster && patch.Operation is not PatchOperation.Merge;
            if (isWhole && patch.Operation == PatchOperation.Add)
            {
                return Add(resources);
            }

            var changed = ImmutableArray.CreateBuilder<EncodedResource>(resources.Length);
            foreach (var resource in resources)
            {
                if (isWhole && patch.Target == PatchTarget.Listener)
                {
                    var removed = patch.Match.Name == resource.Name;
                    Matched |= removed;
                    if (!removed)
                    {
                        changed.Add(resource);
                    }

                    continue;
                }

                var result = patcher.Result(resource, patch);
                Matched |= result.Matched;
                Problem ??= result.Problem;
                Ignored ??= result.Ignored;
                if (result.Resource is { } kept)
                {
                    changed.Add(kept);
                }
            }

            return changed.ToImmutable();
        }

        private ImmutableArray<EncodedResource> Add(ImmutableArray<EncodedResource> resources)
        {
            Matched = true;
            try
            {
                var (type, name, body) = patch.Target == PatchTarget.Cluster
                    ? PatchValues.Read<Cluster>(patch.Value) is var cluster ? (TypeUrls.Cluster, cluster.Name, cluster.ToByteString()) : default
                    : PatchValues.Read<Listener>(patch.Value) is var listener ? (TypeUrls.Listener, listener.Name, listener.ToByteString()) : default;
                var decoded = PlanDecoder.Decode(type, name, body);
                Problem = !decoded.Errors.IsEmpty ? $"{decoded.Errors[0].Field}: {decoded.Errors[0].Fact}"
                    : resources.Any(r => r.Name == name) ? $"there is a '{name}' already" : null;
                return Problem is not null
                    ? resources
                    : resources.Add(new EncodedResource(type, name, Version(body), body)).Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
            }
            catch (PatchException problem)
            {
                Problem = problem.Message;
                return resources;
            }
        }
    }

    private sealed record PatchResult(EncodedResource? Resource, bool Matched, string? Problem)
    {
        public string? Ignored { get; init; }
    }
}

/// <summary>What became of a patch in one proxy's plan.</summary>
/// <param name="Patch">Which.</param>
/// <param name="Matched">It had something to apply to.</param>
/// <param name="Problem">Why it was left out, a clause; null if it was not.</param>
internal sealed record PatchOutcome(PlanPatch Patch, bool Matched, string? Problem)
{
    /// <summary>What of it has no effect, a clause; null for nothing.</summary>
    public string? Ignored { get; init; }
}
