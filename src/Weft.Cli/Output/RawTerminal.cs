// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Cli.Output;

/// <summary>This terminal without echo, line editing and signals, so that the one in the pod has them; put back when disposed.</summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly string _before;

    private RawTerminal(string before) => _before = before;

    public static RawTerminal Enter()
    {
        var before = Stty(read: true, "-g").Trim();
        Stty(read: false, "raw", "-echo");
        return new RawTerminal(before);
    }

    public void Dispose() => Stty(read: false, _before);

    private static string Stty(bool read, params string[] arguments)
    {
        using var stty = Process.Start(new ProcessStartInfo("stty", arguments) { UseShellExecute = false, RedirectStandardOutput = read })!;
        var text = read ? stty.StandardOutput.ReadToEnd() : "";
        stty.WaitForExit();
        return text;
    }
}
