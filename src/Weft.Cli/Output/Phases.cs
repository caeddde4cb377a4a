// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Output;

/// <summary>Progress of a start: one line a phase with a tick and its seconds; on a terminal the present one is repainted.</summary>
internal sealed class Phases(Terminal terminal, TimeProvider clock)
{
    private const int NameWidth = 18;

    private long _began;
    private string _shown = "";

    public void Begin(string name)
    {
        _began = clock.GetTimestamp();
        Show(name, "");
    }

    /// <summary>What is known so far, e.g. <c>3/7 ready</c>.</summary>
    public void Show(string name, string remark)
    {
        var line = $"  {terminal.Waiting} {name,-NameWidth} {Terminal.Seconds(clock.GetElapsedTime(_began)),6}  {remark}";
        if (terminal.ErrorIsTerminal && line != _shown)
        {
            _shown = line;
            terminal.Error.Write($"\r\e[K{line}");
            terminal.Error.Flush();
        }
    }

    public void Done(string name, string remark) => End(terminal.Ok, name, remark);

    public void Failed(string name, string remark) => End(terminal.Bad, name, remark);

    private void End(string mark, string name, string remark)
    {
        var clear = terminal.ErrorIsTerminal ? "\r\e[K" : "";
        terminal.Say($"{clear}  {mark} {name,-NameWidth} {Terminal.Seconds(clock.GetElapsedTime(_began)),6}  {terminal.Dim(remark)}".TrimEnd());
        _shown = "";
    }
}
