// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Local.Processes;

/// <summary>Sends signals by number.</summary>
internal static partial class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>False when the process is gone.</summary>
    public static bool Send(int processId, int signal) => SendSignal(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
