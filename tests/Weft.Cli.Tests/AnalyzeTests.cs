// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Testing;

namespace Weft.Cli.Tests;

/// <summary><c>weft analyze</c> on files; the scenarios ask a running mesh.</summary>
[Collection("environment")]
public sealed class AnalyzeTests : IDisposable
{
    private const string Lost = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: lost, namespace: shop}
        spec:
          hosts: [a.example.com]
          http: [{route: [{destination: {host: nowhere}}]}]
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}

        """;

    private readonly TemporaryFolder _folder = new();
    private readonly CapturedTerminal _terminal = new();

    public static TheoryData<string> Cases => CaseFile.Find("analyze");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Findings_have_Istios_codes_levels_and_order(string path)
    {
        var file = CaseFile.Load(path);
        var manifest = Write("input.yaml", file["input"]);
        await _terminal.RunAsync("analyze", "--use-kube=false", "-A", manifest);
        file.Check(("log", _terminal.Out.Replace(manifest, "input.yaml", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(79)]
    [InlineData(0, "-S", "IST0101=VirtualService lost.sh*")]
    [InlineData(79, "-S", "IST0101=VirtualService lost.other")]
    [InlineData(79, "-S", "IST0101=VirtualService *", "--failure-threshold", "Info")]
    [InlineData(0, "-n", "other")]
    [InlineData(0, "--analyzer", "namespace")]
    [InlineData(2, "--analyzer", "namespce")]
    [InlineData(2, "-S", "IST0101")]
    [InlineData(2, "--failure-threshold", "Bad")]
    public async Task The_exit_code_is_istioctls_and_the_flags_move_it(int code, params string[] flags)
    {
        Assert.Equal(code, await _terminal.RunAsync(["analyze", "--use-kube=false", Write("lost.yaml", Lost), .. flags]));
        Assert.Equal(code == 79, _terminal.Error.Contains("Analyzers found issues", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_names_code_object_place_and_our_own_number()
    {
        var file = Write("lost.yaml", Lost);
        Assert.Equal(79, await _terminal.RunAsync("analyze", "--use-kube=false", file, "-o", "json"));
        var first = JsonNode.Parse(_terminal.Out)!.AsArray()[0]!;
        Assert.Equal(("IST0101", "Error", "VirtualService shop/lost", "WEFT3001"), ((string)first["code"]!, (string)first["level"]!, (string)first["origin"]!, (string)first["id"]!));
        Assert.StartsWith(file + ":6:", (string)first["reference"]!, StringComparison.Ordinal);

        var yaml = new CapturedTerminal();
        Assert.Equal(79, await yaml.RunAsync("analyze", "--use-kube=false", file, "-o", "yaml"));
        Assert.StartsWith("- code: IST0101\n  level: Error\n", yaml.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_wrong_is_said_in_one_line_and_an_empty_list()
    {
        var examples = RepositoryRoot.File("examples");
        Assert.Equal(0, await _terminal.RunAsync("analyze", "--use-kube=false", "-R", examples));
        Assert.Equal($"✓ No validation issues found when analyzing {examples}.\n", _terminal.Error);
        var json = new CapturedTerminal();
        Assert.Equal(0, await json.RunAsync("analyze", "--use-kube=false", "-o", "json", examples));
        Assert.Equal("[]\n", json.Out);
    }

    [Fact]
    public async Task Text_that_is_no_object_is_told_apart_from_findings()
    {
        Assert.Equal(65, await _terminal.RunAsync("analyze", "--use-kube=false", Write("torn.yaml", "kind: [\n")));
        Assert.Contains("torn.yaml:", _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_analyzer_is_listed_and_every_code_is_explained()
    {
        Assert.Equal(0, await _terminal.RunAsync("analyze", "--list-analyzers"));
        Assert.Contains("annotation", _terminal.Out, StringComparison.Ordinal);
        foreach (var code in Model.Diagnostics.IstioCodes.All)
        {
            var explained = new CapturedTerminal();
            Assert.Equal(0, await explained.RunAsync("explain", code));
            Assert.StartsWith(code, explained.Out, StringComparison.Ordinal);
        }
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_folder.Path, name);
        File.WriteAllText(file, text);
        return file;
    }
}
