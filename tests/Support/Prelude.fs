/// What several test files need.
module DiffEqLang.Tests.Support.Prelude

open System.IO
open System.Runtime.CompilerServices

/// The folder of the sources, wherever the tests run from.
let repositoryRoot =
    let rec up (folder: DirectoryInfo) =
        if File.Exists(Path.Combine(folder.FullName, "DiffEqLang.sln")) then
            folder.FullName
        else
            up folder.Parent

    up (DirectoryInfo System.AppContext.BaseDirectory)
