// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Weft.Compiler.Gateways;
using Weft.Compiler.Inbound;
using Weft.Compiler.Outbound;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler;

/// <summary>
/// Intents + world → the plan of one client's sidecar. Pure: the same input gives the same plan. A <see cref="MeshSnapshot"/> made from
/// its predecessor shares the parts that did not change, as objects, so the cost follows the change. A snapshot and its successors are
/// used by one thread at a time.
/// </summary>
public static class PlanCompiler
{
    /// <summary>Compiles out of a world that is used only once.</summary>
    public static CompiledPlan Compile(MeshWorld world, IEnumerable<MeshIntent> intents, Workload client) =>
        Compile(MeshSnapshot.Create(world, intents), client);

    /// <summary>Compiles the plan of the sidecar beside a workload, which need not be in the world yet.</summary>
    public static CompiledPlan Compile(MeshSnapshot mesh, Workload client)
    {
        var outbound = OutboundPlan.For(mesh, client);
        var inbound = InboundPlan.Compile(mesh, client);
        var plan = new ProxyPlan(
            Merge(outbound.Listeners, inbound.Listeners, static l => l.Name),
            outbound.RouteTables,
            Merge(outbound.Clusters, inbound.Clusters, static c => c.Name),
            outbound.Endpoints)
        {
            Secrets = mesh.Credentials.Resolve(client.Namespace, [.. outbound.Secrets.Union(inbound.Secrets, StringComparer.Ordinal)]),
        };
        return new CompiledPlan(plan, mesh, []);
    }

    /// <summary>Compiles the plan of a gateway's proxy; the workload decides by its labels which gateways it serves.</summary>
    public static CompiledPlan CompileGateway(MeshSnapshot mesh, Workload workload) => GatewayPlan.Compile(mesh, workload);

    /// <summary>Puts a few parts into a long sorted list; whole stretches are copied, since this is done for every proxy.</summary>
    internal static EquatableArray<T> Merge<T>(EquatableArray<T> sorted, IReadOnlyCollection<T> more, Func<T, string> name)
    {
        var all = ImmutableArray.CreateBuilder<T>(sorted.Count + more.Count);
        var rest = sorted.AsSpan();
        foreach (var item in more.OrderBy(name, StringComparer.Ordinal))
        {
            var before = CountBefore(rest, name(item), name);
            all.AddRange(rest[..before]);
            all.Add(item);
            rest = rest[before..];
        }

        all.AddRange(rest);
        return new EquatableArray<T>(all.MoveToImmutable());
    }

    private static int CountBefore<T>(ReadOnlySpan<T> sorted, string name, Func<T, string> nameOf)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = string.CompareOrdinal(nameOf(sorted[middle]), name) < 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
