// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Tests;

[Collection("environment")]
public sealed class CommandLineTests
{
    private readonly CapturedTerminal _terminal = new();

    [Theory]
    [InlineData("sttus", "Unknown verb 'sttus'.", "Did you mean 'status'?")]
    [InlineData("kubctl", "Unknown verb 'kubctl'.", "Did you mean 'kubectl'?")]
    [InlineData("hld", "Unknown verb 'hld'.", "See  weft --help")]
    public async Task A_mistyped_verb_names_the_nearest_that_people_may_use(string verb, string fact, string cure)
    {
        Assert.Equal(2, await _terminal.RunAsync(verb));
        Assert.Equal($"✗ {fact}\n  {cure}\n", _terminal.Error);
        Assert.Empty(_terminal.Out);
    }

    [Theory]
    [InlineData("redis://x", 2, "✗ --store: 'redis://x' is no store: write etcd://HOST:PORT")]
    [InlineData("etcd://127.0.0.1:1", 1, "✗ the store etcd://127.0.0.1:1/weft/ cannot be used: etcd at 127.0.0.1:1 cannot be reached: Connection refused")]
    public async Task A_store_that_cannot_be_used_is_refused_before_anything_is_started(string store, int code, string why)
    {
        using var home = new TemporaryFolder();
        Environment.SetEnvironmentVariable("WEFT_HOME", home.Path);
        try
        {
            Assert.Equal(code, await _terminal.RunAsync("up", "--store", store));
            Assert.StartsWith(why, _terminal.Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("WEFT_HOME", null);
        }
    }

    [Fact]
    public async Task A_mistyped_flag_names_the_nearest()
    {
        Assert.Equal(2, await _terminal.RunAsync("down", "--purg"));
        Assert.Equal("✗ Unknown flag '--purg' of 'weft down'.\n  Did you mean '--purge'?\n", _terminal.Error);
    }

    [Theory]
    [InlineData("See  weft proxy-config route --help", "pc", "r")]
    [InlineData("See  weft proxy-config --help", "proxy-config", "x", "pod")]
    [InlineData("Did you mean 'route'?", "pc", "rout", "pod")]
    public async Task What_is_missing_or_wrong_below_a_verb_points_to_its_own_help(string cure, params string[] args)
    {
        Assert.Equal(2, await _terminal.RunAsync(args));
        Assert.Contains(cure, _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_shows_examples_before_flags_and_fits_the_screen()
    {
        Assert.Equal(0, await _terminal.RunAsync("validate", "--help"));
        Assert.StartsWith("Examples:\n  weft validate ", _terminal.Out, StringComparison.Ordinal);
        Assert.Contains("--output", _terminal.Out, StringComparison.Ordinal);

        var overview = new CapturedTerminal();
        Assert.Equal(0, await overview.RunAsync());
        Assert.InRange(overview.Out.Split('\n').Length, 10, 40);
        Assert.All(overview.Out.Split('\n'), line => Assert.InRange(line.Length, 0, 120));
    }

    [Fact]
    public async Task Every_verb_that_is_not_hidden_stands_in_the_overview_and_in_the_reference()
    {
        await _terminal.RunAsync("help");
        var reference = await File.ReadAllTextAsync(Path.Combine(Testing.RepositoryRoot.File("docs", "reference", "cli.md")));
        foreach (var verb in CommandLine.BuildRoot(_terminal.Open()).Subcommands.Where(verb => !verb.Hidden))
        {
            Assert.Contains(verb.Name, _terminal.Out, StringComparison.Ordinal);
            Assert.Contains($"| `{verb.Name}", reference, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_a_mesh_a_verb_that_needs_one_says_how_to_start_it()
    {
        var home = Directory.CreateTempSubdirectory("weft-none-").FullName;
        Environment.SetEnvironmentVariable("WEFT_HOME", home);
        try
        {
            Assert.Equal(4, await _terminal.RunAsync("status"));
            Assert.Contains("No mesh is running", _terminal.Error, StringComparison.Ordinal);
            Assert.Contains("weft up", _terminal.Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("WEFT_HOME", null);
            Directory.Delete(home, recursive: true);
        }
    }
}
