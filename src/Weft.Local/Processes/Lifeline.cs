// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Local.Processes;

/// <summary>
/// The inner end of the pipe from <see cref="Outside.Sandbox"/>: a line means "stop in order", the pipe's end means that the
/// outer side is dead, and then this process ends at once and takes its namespaces with it.
/// </summary>
public static partial class Lifeline
{
    /// <summary>What the outer side writes to ask for an orderly end.</summary>
    internal const string StopWord = "stop\n";

    private const int ExitCodeOrphaned = 75;

    /// <summary>Watches standard input on its own thread, when this process was started by a sandbox.</summary>
    public static void Watch(Action onStop)
    {
        if (Environment.GetEnvironmentVariable("WEFT_LIFELINE") != "stdin")
        {
            return;
        }

        // Children must not believe that the pipe is theirs.
        Environment.SetEnvironmentVariable("WEFT_LIFELINE", null);

        // A thread and a blocking read: this must work however busy or stuck the thread pool is.
        new Thread(() => Read(onStop)) { IsBackground = true, Name = "lifeline" }.Start();
    }

    private static void Read(Action onStop)
    {
        var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (true)
        {
            int count;
            try
            {
                count = input.Read(buffer);
            }
            catch (IOException)
            {
                count = 0;
            }

            if (count <= 0)
            {
                ExitNow(ExitCodeOrphaned);
            }

            onStop();
        }
    }

    // No exit handlers and no waiting for threads: nobody is left to wait for.
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);
}
