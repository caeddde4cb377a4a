// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Cli.Tests;

[Collection("environment")]
public sealed class ValidateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-validate-").FullName;
    private readonly CapturedTerminal _terminal = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_examples_are_valid()
    {
        Assert.Equal(0, await _terminal.RunAsync("validate", Testing.RepositoryRoot.File("examples")));
        Assert.Matches("✓ [0-9]+ objects, 0 errors, 0 warnings", _terminal.Error);
    }

    [Fact]
    public async Task A_problem_is_named_with_file_line_column_and_number()
    {
        var file = Path.Combine(_folder, "broken.yaml");
        await File.WriteAllTextAsync(file, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  htp: []\n");
        Assert.Equal(3, await _terminal.RunAsync("validate", file));
        Assert.Matches($"(?m)^{file}:6:3  error WEFT[0-9]{{4}}  .*htp", _terminal.Out);

        var json = new CapturedTerminal();
        Assert.Equal(3, await json.RunAsync("validate", "-o", "json", file));
        var first = JsonNode.Parse(json.Out)!["diagnostics"]!.AsArray().Single(found => (int)found!["line"]! == 6)!;
        Assert.Equal(3, (int)first["column"]!);
        Assert.Equal("spec.htp", (string?)first["path"]);

        var explained = new CapturedTerminal();
        Assert.Equal(0, await explained.RunAsync("explain", (string)first["id"]!));
        Assert.StartsWith((string)first["id"]!, explained.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_wrong_usage()
    {
        Assert.Equal(2, await _terminal.RunAsync("validate", Path.Combine(_folder, "none.yaml")));
        Assert.Contains("none.yaml", _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_starts_nothing_while_a_file_is_wrong()
    {
        var file = Path.Combine(_folder, "broken.yaml");
        await File.WriteAllTextAsync(file, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nmetadata: {name: b}\n");
        Environment.SetEnvironmentVariable("WEFT_HOME", Path.Combine(_folder, "home"));
        try
        {
            Assert.Equal(3, await _terminal.RunAsync("up", file));
        }
        finally
        {
            Environment.SetEnvironmentVariable("WEFT_HOME", null);
        }

        Assert.Contains("Nothing was changed.", _terminal.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "home")));
    }
}
