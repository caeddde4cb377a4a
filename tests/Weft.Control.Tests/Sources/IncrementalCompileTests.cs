// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Compiler;
using Weft.Control.Sources;
using Weft.Kubernetes;
using Weft.Model.Plan;
using Weft.Model.World;
using Weft.Wire.Plans;

namespace Weft.Control.Tests.Sources;

/// <summary>Whatever changes in whatever order: what is carried over from change to change is what a compilation from nothing makes.</summary>
public sealed class IncrementalCompileTests
{
    private const int Changes = 60;
    private const int Runs = 8;

    /// <summary>How many runs, where they may be more than a build waits for.</summary>
    private static readonly string? _longer = Environment.GetEnvironmentVariable("WEFT_CHANGE_RUNS");

    [Fact]
    public void After_every_change_the_plans_are_those_of_a_compilation_from_nothing()
    {
        var runs = _longer is null ? Runs : int.Parse(_longer, System.Globalization.CultureInfo.InvariantCulture);
        for (var seed = 0; seed < runs; seed++)
        {
            var random = new Random(seed);
            List<MeshChange> changes = [.. Enumerable.Range(0, Changes).Select(_ => MeshChange.Random(random))];
            if (Difference(changes) is not null)
            {
                var shortest = Shrink(changes);
                Assert.Fail($"seed {seed}: {Difference(shortest)} after\n{string.Join('\n', shortest)}");
            }
        }
    }

    [Fact]
    public void The_random_meshes_have_something_of_everything()
    {
        var random = new Random(1);
        var state = new MeshState(MeshSettings.Default);
        var broken = new List<string>();
        for (var i = 0; i < 2000; i++)
        {
            var change = MeshChange.Random(random);
            Apply(state, change);
            if (change.Variant >= 0)
            {
                if (state.Objects.Find(ObjectKey.Of(change.ResourceKind, change.Object)) is { IsBroken: true } entry)
                {
                    broken.Add($"{change}: {string.Join(' ', entry.Diagnostics)}");
                }
            }
        }

        Assert.True(broken.Count == 0, string.Join('\n', broken.Take(10)));
        var kinds = state.Intents.Select(i => i.GetType().Name).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(["AccessIntent", "DestinationIntent", "GatewayIntent", "PeerIntent", "RouteIntent", "SidecarIntent"], kinds);
        var plan = PlanCompiler.Compile(state.Snapshot(), _clients[0]).Plan;
        Assert.True(plan.Listeners.Count > 5 && plan.RouteTables.Count > 2 && plan.Clusters.Count > 10, plan.ToString());
        Assert.Contains(plan.Endpoints, e => e.Endpoints.Count > 0);
        Assert.NotEmpty(PlanCompiler.CompileGateway(state.Snapshot(), _clients[0]).Plan.Listeners);
    }

    private static readonly Workload[] _clients = [Client("shop", "s0"), Client("shop", "s1"), Client("bank", "s2")];

    private static Workload Client(string ns, string app) => new(
        app, ns, "10.1.0.0", [new("app", app), new("istio", "ingressgateway")], "a0", true, new WorkloadNamePlan(app, ns, app, "latest", "Kubernetes", "a0", app, ""), [], DateTimeOffset.UnixEpoch);

    /// <summary>What is different at the first change after which anything is; null if nothing is.</summary>
    private static string? Difference(List<MeshChange> changes)
    {
        var state = new MeshState(MeshSettings.Default);
        var encoder = new PlanEncoder();
        for (var i = 0; i < changes.Count; i++)
        {
            Apply(state, changes[i]);
            if (changes[i].Variant % 5 == 1 && i < changes.Count - 1)
            {
                continue;
            }

            var now = new MeshState(MeshSettings.Default);
            foreach (var last in changes.Take(i + 1).GroupBy(c => (c.Kind, c.Namespace, c.Name)).Select(g => g.Last()).Where(c => c.Variant >= 0))
            {
                Apply(now, last);
            }

            foreach (var client in _clients)
            {
                if (Difference(PlanCompiler.Compile(state.Snapshot(), client), PlanCompiler.Compile(now.Snapshot(), client), encoder) is { } sidecar)
                {
                    return $"{client.Namespace}/{client.Name}: {sidecar}";
                }
            }

            if (Difference(PlanCompiler.CompileGateway(state.Snapshot(), _clients[2]), PlanCompiler.CompileGateway(now.Snapshot(), _clients[2]), encoder) is { } gateway)
            {
                return $"gateway: {gateway}";
            }
        }

        return null;
    }

    private static string? Difference(CompiledPlan kept, CompiledPlan made, PlanEncoder encoder)
    {
        if (kept.Plan != made.Plan)
        {
            var (was, now) = (Parts(kept.Plan), Parts(made.Plan));
            return $"kept\n{string.Join('\n', was.Except(now))}\nmade\n{string.Join('\n', now.Except(was))}";
        }

        var difference = new StringBuilder();
        foreach (var (first, second) in encoder.Encode(kept.Plan).All.Zip(new PlanEncoder().Encode(made.Plan).All))
        {
            if (first.Name != second.Name || first.Version != second.Version)
            {
                difference.Append(System.Globalization.CultureInfo.InvariantCulture, $"bytes of {first.Name} and {second.Name} ");
            }
        }

        if (!kept.Diagnostics.SequenceEqual(made.Diagnostics))
        {
            difference.Append(System.Globalization.CultureInfo.InvariantCulture, $"findings {string.Join("; ", kept.Diagnostics.Except(made.Diagnostics))} | {string.Join("; ", made.Diagnostics.Except(kept.Diagnostics))}");
        }

        return difference.Length == 0 ? null : difference.ToString();
    }

    private static string[] Parts(ProxyPlan plan) =>
    [
        .. plan.Clusters.Select(c => c.ToString()), .. plan.Endpoints.Select(e => e.ToString()),
        .. plan.Listeners.Select(l => l.ToString()), .. plan.RouteTables.Select(t => t.ToString()),
    ];

    /// <summary>Leaves changes out as long as the rest still shows a difference.</summary>
    private static List<MeshChange> Shrink(List<MeshChange> failing)
    {
        for (var size = failing.Count / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= failing.Count;)
            {
                List<MeshChange> rest = [.. failing[..at], .. failing[(at + size)..]];
                if (Difference(rest) is not null)
                {
                    failing = rest;
                }
                else
                {
                    at += size;
                }
            }
        }

        return failing;
    }

    private static void Apply(MeshState state, MeshChange change) =>
        state.Apply(change.ResourceKind, new Change(change.Variant < 0 ? ChangeType.Deleted : ChangeType.Modified, change.Object, null));
}
