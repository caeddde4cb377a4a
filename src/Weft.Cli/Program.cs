// SPDX-License-Identifier: Apache-2.0

using Weft.Cli;
using Weft.Cli.Output;

return await CommandLine.RunAsync(args, Terminal.Open());
