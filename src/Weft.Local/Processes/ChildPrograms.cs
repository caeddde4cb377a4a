// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Processes;

/// <summary>The programs beside the node; each has its own end, so that they stop one after the other.</summary>
internal sealed class ChildPrograms : IDisposable
{
    private readonly List<(CancellationTokenSource Ending, Task Running)> _children = [];

    /// <summary>Starts them all.</summary>
    public ChildPrograms(LocalNodeOptions options, KeepRunning keep)
    {
        foreach (var child in options.Children)
        {
            var ending = new CancellationTokenSource();
            var log = Path.Combine(options.Home.Logs, $"{child.Name}.log");
            _children.Add((ending, keep.ProgramAsync(child, log, ending.Token)));
        }
    }

    /// <summary>Stops the last one first: it may need the others.</summary>
    public async Task StopAsync()
    {
        for (var i = _children.Count - 1; i >= 0; i--)
        {
            await _children[i].Ending.CancelAsync();
            await _children[i].Running;
        }
    }

    public void Dispose()
    {
        foreach (var (ending, _) in _children)
        {
            ending.Dispose();
        }
    }
}
