// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Compiler;
using Weft.Compiler.Explain;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;
using Xunit;

namespace Weft.Proxy.Tests.Routing;

/// <summary>
/// Whatever operators write and clients ask: what the compiled plan lets the proxy do is what a slow reader of the rules would do, and what
/// <c>weft why</c> says. A case that fails is made smaller as long as it still fails, and printed.
/// </summary>
public sealed class IntentProperties
{
    private const int Rounds = 400;
    private const int RequestsPerRound = 15;

    [Fact]
    public void Rules_of_a_mesh_do_what_a_reader_of_them_would_do() => Check(seed: 41, gateway: false);

    [Fact]
    public void Rules_behind_a_gateway_do_what_a_reader_of_them_would_do() => Check(seed: 42, gateway: true);

    [Fact]
    public void Weights_share_requests_as_they_are_written()
    {
        var random = new Random(43);
        for (var round = 0; round < 50; round++)
        {
            int[] weights = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(4) == 0 ? 0 : random.Next(1, 100)), random.Next(1, 100)];
            var list = new WeightedList<string>([.. Enumerable.Range(0, weights.Length).Select(i => $"{i}")], weights);
            var counts = new int[weights.Length];
            const int Draws = 20_000;
            for (var i = 0; i < Draws; i++)
            {
                counts[int.Parse(list.Pick(random), CultureInfo.InvariantCulture)]++;
            }

            for (var i = 0; i < weights.Length; i++)
            {
                // Five deviations: one in a million.
                var share = (double)weights[i] / weights.Sum();
                var deviation = Math.Sqrt(Draws * share * (1 - share));
                Assert.InRange(counts[i], (Draws * share) - (5 * deviation), (Draws * share) + (5 * deviation));
            }
        }
    }

    [Fact]
    public void A_case_that_fails_is_made_as_small_as_it_can_be()
    {
        var generator = new IntentGenerator(new Random(7), gateway: false);
        var found = Enumerable.Range(0, 200).Select(_ => generator.Case()).First(c => c.Routes.Sum(r => r.Http.Count) > 4 && c.Request.Method == "POST");

        // As if every rule with a condition were wrong for POST.
        static bool Fails(IntentCase c) => c.Request.Method == "POST" && c.Routes.Any(r => r.Http.Any(h => h.Matches.Count > 0));
        if (Fails(found))
        {
            var small = IntentGenerator.Smallest(found, Fails);
            Assert.Equal(1, small.Routes.Sum(r => r.Http.Count));
            Assert.Single(small.Routes.SelectMany(r => r.Http).Single().Matches);
            Assert.Empty(small.Request.Headers);
        }
    }

    private static void Check(int seed, bool gateway)
    {
        var generator = new IntentGenerator(new Random(seed), gateway);
        var kinds = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var round = 0; round < Rounds; round++)
        {
            var mesh = generator.Case();
            for (var i = 0; i < RequestsPerRound; i++)
            {
                var asked = mesh with { Request = generator.Request(), Client = generator.Client() };
                var kind = IntentReader.Read(asked).Split(' ')[0];
                kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
                if (Failure(asked) is not null)
                {
                    var small = IntentGenerator.Smallest(asked, c => Failure(c) is not null);
                    Assert.Fail($"{Failure(small)}\n{small}");
                }
            }
        }

        // A generator that never gets to something would show nothing about it.
        Assert.All(new[] { "none", "default", "forward", "redirect", "answer" }.Except(gateway ? ["default"] : []), kind => Assert.InRange(kinds.GetValueOrDefault(kind), 20, Rounds * RequestsPerRound));
    }

    /// <summary>What is wrong; null if proxy, reader and <c>weft why</c> agree.</summary>
    private static string? Failure(IntentCase asked)
    {
        var expected = IntentReader.Read(asked);
        var snapshot = MeshSnapshot.Create(asked.World, asked.Routes.Concat(asked.Others));
        var plan = (asked.IsGateway ? PlanCompiler.CompileGateway(snapshot, asked.Client) : PlanCompiler.Compile(snapshot, asked.Client)).Plan;
        var table = plan.RouteTables.FirstOrDefault(t => asked.IsGateway || t.Name == asked.Request.Port.ToString(CultureInfo.InvariantCulture));
        var chosen = table is null ? null : Choose(new RouteTable<RoutePlan>(table, route => route), asked.Request);
        var actual = IntentReader.Describe(chosen);
        if (expected != actual)
        {
            return $"The rules say '{expected}', the proxy does '{actual}'.";
        }

        if (asked.IsGateway)
        {
            return null;
        }

        var walk = PlanWalk.Explain(plan, new RequestDescription(
            IntentCase.AddressOf(asked.Request.Authority), asked.Request.Port, asked.Request.Authority, asked.Request.Target, asked.Request.Method,
            [.. asked.Request.Headers.Select(h => new HeaderPlan(h.Name, h.Value))]));
        return ReferenceEquals(walk.Route, chosen) ? null : $"The proxy does '{actual}', weft why says '{IntentReader.Describe(walk.Route)}'.";
    }

    private static RoutePlan? Choose(RouteTable<RoutePlan> table, AskedRequest request)
    {
        var text = new StringBuilder($"{request.Method} {request.Target} HTTP/1.1\r\nHost: {request.Authority}\r\n");
        foreach (var (name, value) in request.Headers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        return table.Match(new RouteRequest(head, bytes, "http"u8));
    }
}
