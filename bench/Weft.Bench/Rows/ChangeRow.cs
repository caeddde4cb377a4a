// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Bench.Figures;
using Weft.Bench.Peers;
using Weft.Compiler;
using Weft.Control.Sources;
using Weft.Kubernetes;
using Weft.Model.World;
using Weft.Wire.Ads;
using Weft.Wire.Plans;

namespace Weft.Bench.Rows;

/// <summary>What the control plane does between a change of one VirtualService and the bytes for a proxy.</summary>
internal sealed class ChangeRow : Row
{
    private const int Objects = 10_000;
    private const int Ports = 10;
    private const string Total = "all of it";

    public override string Name => "change";

    public override RowResult Run(Lab lab)
    {
        var state = Fill();
        var encoder = new PlanEncoder();
        var session = new DeltaServerSession();
        var client = state.Registry.FindWorkload("shop", "client") ?? throw new BenchException("The client's pod is not in the world.");
        session.Update(encoder.Encode(PlanCompiler.Compile(state.Snapshot(), client).Plan));
        var rounds = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var parts = new List<double>();
        for (var round = 0; round <= lab.Options.Rounds * 4; round++)
        {
            Progress.Say($"change: round {round}");
            var made = Once(state, client, encoder, session, round, round == 0 ? [] : rounds);
            parts.Add(made);
        }

        Progress.Clear();
        var @case = string.Create(CultureInfo.InvariantCulture, $"one of {Objects} VirtualServices");
        List<Figure> figures = [.. rounds.Select(step => new Figure(@case, step.Key, Measure.ChangeTime, step.Value))];
        figures.Add(new Figure(@case, Total, Measure.PartsMade, parts[1..]));
        return new RowResult(
            Name,
            "A change of one VirtualService",
            "In one process without sockets: the changed object is read, the snapshot made, the plan of one sidecar compiled, encoded, and compared with what the proxy has. Each of as many services has a rule of its own; findings about the whole mesh are made after the plans are sent.",
            Measure.ChangeTime,
            null,
            figures,
            [new Goal(@case, Total, Measure.ChangeTime, 50)]);
    }

    private static int Once(MeshState state, Workload client, PlanEncoder encoder, DeltaServerSession session, int round, Dictionary<string, List<double>> rounds)
    {
        var watch = Stopwatch.StartNew();
        var before = TimeSpan.Zero;
        void Note(string step)
        {
            Add(rounds, step, (watch.Elapsed - before).TotalMilliseconds);
            before = watch.Elapsed;
        }

        state.Apply(Kinds.VirtualService, new Change(ChangeType.Modified, Route(7_777, round + 1), null));
        Note("read");
        var snapshot = state.Snapshot();
        Note("snapshot");
        var plan = PlanCompiler.Compile(snapshot, client).Plan;
        Note("compile");
        var encoded = encoder.Encode(plan);
        Note("encode");
        session.Update(encoded);
        Note("compare");
        Add(rounds, Total, watch.Elapsed.TotalMilliseconds);
        var findings = Stopwatch.StartNew();
        _ = snapshot.Diagnostics;
        Add(rounds, "findings, afterwards", findings.Elapsed.TotalMilliseconds);
        return snapshot.CompiledUnits;
    }

    private static void Add(Dictionary<string, List<double>> rounds, string step, double milliseconds)
    {
        if (!rounds.TryGetValue(step, out var values))
        {
            rounds.Add(step, values = []);
        }

        values.Add(milliseconds);
    }

    private static MeshState Fill()
    {
        var state = new MeshState(MeshSettings.Default);
        state.Apply(Kinds.Pod, new Change(ChangeType.Added, Parse("""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"client","namespace":"shop","labels":{"app":"client"}},
             "spec":{"containers":[{"name":"app","image":"i"}]},"status":{"phase":"Running","podIP":"10.0.0.1"}}
            """), null));
        for (var i = 0; i < Objects; i++)
        {
            state.Apply(Kinds.Service, new Change(ChangeType.Added, Service(i), null));
            state.Apply(Kinds.VirtualService, new Change(ChangeType.Added, Route(i, 0), null));
        }

        return state;
    }

    private static JsonObject Service(int number) => Parse(string.Create(
        CultureInfo.InvariantCulture,
        $$$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"s{{{number}}}","namespace":"shop","resourceVersion":"1"},
         "spec":{"clusterIP":"10.96.{{{number >> 8}}}.{{{number & 0xff}}}","ports":[{"name":"http","port":{{{8000 + (number % Ports)}}} }]} }
        """));

    private static JsonObject Route(int number, int version) => Parse(string.Create(
        CultureInfo.InvariantCulture,
        $$$"""
        {"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"s{{{number}}}","namespace":"shop","resourceVersion":"{{{version + 1}}}" },
         "spec":{"hosts":["s{{{number}}}"],"http":[{"match":[{"headers":{"x-version":{"exact":"{{{version}}}"} } }],"route":[{"destination":{"host":"s0"} }]},
                 {"route":[{"destination":{"host":"s{{{number}}}"} }]}]} }
        """));

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}
