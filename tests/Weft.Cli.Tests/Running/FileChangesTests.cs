// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Running;

namespace Weft.Cli.Tests.Running;

public sealed class FileChangesTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _patience = new(_limit);

    public void Dispose()
    {
        _patience.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Only_a_changed_content_is_a_change()
    {
        Write("app.js", "one");
        Write("README.md", "text");
        using var changes = new FileChanges([_folder.Path], file => file.EndsWith(".js", StringComparison.Ordinal), TimeProvider.System);

        // Neither a save of the same, nor a file that does not count, nor what tools leave behind.
        Write("app.js", "one");
        Write("README.md", "other text");
        Write("node_modules/x/index.js", "x");
        Write(".git/index.js", "x");
        Write("lib/deep/new.js", "new");
        Assert.Equal([At("lib/deep/new.js")], await changes.NextAsync(_patience.Token));

        Write("app.js", "two");
        Assert.Equal([At("app.js")], await changes.NextAsync(_patience.Token));
        File.Delete(At("app.js"));
        Assert.Equal([At("app.js")], await changes.NextAsync(_patience.Token));
    }

    [Fact]
    public async Task A_save_in_several_steps_is_one_change()
    {
        Write("app.js", "one");
        using var changes = new FileChanges([At("app.js")], _ => true, TimeProvider.System);
        for (var i = 0; i < 20; i++)
        {
            Write("app.js.tmp", $"version {i}");
            File.Move(At("app.js.tmp"), At("app.js"), overwrite: true);
        }

        Assert.Equal([At("app.js")], await changes.NextAsync(_patience.Token));
        Assert.False(changes.NextAsync(_patience.Token).IsCompleted);
    }

    private string At(string name) => Path.Combine(_folder.Path, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }
}
