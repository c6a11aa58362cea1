/// The generated file: usings, namespace, and the class with the members that a back end gives it.
module internal DiffEqLang.Compiler.Backends.CSharp.ModelFile

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members

/// A module initializer in the runtime would be too late for a program whose first line calls torch.
let private loadNativeLibraries =
    { member'
          (summary "Runs before the first torch call of a program: finds libtorch.")
          [ "internal"; "static" ]
          (Method("void", "LoadNativeLibraries", [], Arrow(invokeStatic "NativeLibraries" "Load" []))) with
        Attributes = [ "ModuleInitializer" ] }

/// `members` in the order in which a reader wants them: what is declared, how to solve, and the equations last.
let file (namespaceName: string) (face: Face) (members: Member list) (equations: Member) : File =
    let typed = face.Model.Typed

    let summary =
        match DocumentationComments.lines typed.Doc with
        | [] -> [ [ Plain(sprintf "The model %s." typed.Name) ] ]
        | lines -> lines

    { Usings =
        [ "System.Collections.Generic"
          "System.Runtime.CompilerServices"
          "DiffEqLang.Runtime"
          "TorchSharp"
          "static TorchSharp.torch"
          "static TorchSharp.torch.nn.functional" ]
      Namespace = namespaceName
      Types =
        [ member'
              { noDocumentation with Summary = summary }
              [ "public"; "sealed"; "partial" ]
              (Nested
                  { Name = face.ClassName
                    Primary = None
                    Base = (if face.IsStochastic then "SdeModel" else "OdeModel")
                    Members = members @ [ loadNativeLibraries; Solving.trajectory face; equations ] }) ] }
